// One feed for all tabs of a browser: however many are open, the hub sees one stream and one WebSocket.

import { Feed } from "./feed.js";

const feed = new Feed();
self.onconnect = ({ ports: [port] }) => feed.connect(port);
