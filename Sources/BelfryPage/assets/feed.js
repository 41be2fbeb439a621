// The browser's connections to the hub: one event stream, one WebSocket, for all its tabs. No DOM.

import { Model } from "./model.js";

const topics = ["run/*", "runs", "source/*", "rules"];
/** Frames of a burst reach the tabs together. */
const batchInterval = 25;
/** Alerts of so many positions back are asked for when the page opens. */
const alertHistory = 20_000;
const historyRuns = 40;
const historyEvents = 200;
/** Ended runs whose text is fetched at once; the text of others when somebody asks. */
const historyTexts = 8;
/** What the tabs look at is told at most so often. */
const watchInterval = 500;

const address = (path) => new URL(`../${path}`, import.meta.url);

/** Waits longer from try to try, and never as long as others do: a hub that comes back is not stormed. */
class Backoff {
    #tries = 0;
    #timer = null;

    /** `asked`: the wait that a hub which stops has asked for, in milliseconds. */
    again(action, asked) {
        clearTimeout(this.#timer);
        const most = Math.min(15_000, 500 * 2 ** this.#tries++);
        this.#timer = setTimeout(action, asked ?? (most / 2 + Math.random() * most / 2));
    }

    reset() {
        clearTimeout(this.#timer);
        this.#tries = 0;
    }
}

/** Asks the API. Throws an Error with the problem's detail, and its status. */
export async function ask(method, path, body) {
    const response = await fetch(address(path), {
        method, cache: "no-store", body: body && JSON.stringify(body),
        headers: body ? { "content-type": "application/json" } : {},
    });
    const json = response.status === 204 ? null : await response.json().catch(() => null);
    if (response.ok) return json;
    const detail = json?.detail ?? `the hub answered ${response.status}`;
    throw Object.assign(new Error(detail), { status: response.status });
}

/** A new `cmd_…`: a TypeID, which is a UUID of version 7 in base 32. */
export function commandID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Date.now()) << 16n | BigInt(bytes[6] << 8 | bytes[7]));
    bytes[6] = bytes[6] & 0x0f | 0x70;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let bits = bytes.reduce((bits, byte) => bits << 8n | BigInt(byte), 0n);
    let text = "";
    for (; text.length < 26; bits >>= 5n) text = "0123456789abcdefghjkmnpqrstvwxyz"[Number(bits & 31n)] + text;
    return `cmd_${text}`;
}

export class Feed {
    #model = new Model();
    /**
     * `{me, stream, alerts, paused, presence}`: who is signed in (null: nobody, undefined: not known yet), how each channel
     * does, whether everything is paused, and who else looks at which run (`{RUN: {operators, viewers}}`).
     */
    #status = { me: undefined, stream: "connecting", alerts: "connecting", paused: false, presence: {} };
    #ports = new Set();
    #source = null;
    #socket = null;
    #streamBackoff = new Backoff();
    #socketBackoff = new Backoff();
    #pending = [];
    #requests = new Map();
    #lastRequest = 0;
    /** Counts beginnings: an answer to an earlier one comes too late. */
    #turn = 0;
    #alertPosition = null;
    /** When the hub, which stops, wants the WebSocket back. */
    #askedWait;
    /** By port: the run that its tab looks at. */
    #attended = new Map();
    #watchTimer = null;
    /** What was said last to be looked at, and by which name others see that. */
    #watched = [];
    #you = null;

    /** A tab: it is told everything so far, then what changes. */
    connect(port) {
        port.onmessage = ({ data }) => this.#receive(port, data);
        this.#flush();
        this.#ports.add(port);
        port.postMessage({ kind: "state", model: { ...this.#model }, status: this.#status });
        if (this.#status.me === undefined) this.#begin();
    }

    #receive(port, message) {
        const { kind, run } = message;
        if (kind === "bye") this.#ports.delete(port);
        if (kind === "bye" || kind === "attend") this.#attend(port, run);
        if (kind === "session") this.#begin();
        if (kind === "command") this.#command(port, message);
        if (kind === "details") this.#fetchDetails(run);
    }

    #tell(message) {
        this.#flush();
        for (const port of this.#ports) port.postMessage(message);
    }

    #setStatus(change) {
        Object.assign(this.#status, change);
        this.#tell({ kind: "status", status: this.#status });
    }

    /** Finds out who is signed in, and opens what they may see. */
    async #begin() {
        const turn = ++this.#turn;
        this.#streamBackoff.reset();
        this.#socketBackoff.reset();
        let session;
        try {
            session = await ask("GET", "v1/session");
            if (turn !== this.#turn) return;
        } catch {
            if (turn !== this.#turn) return;
            this.#setStatus({ stream: "connecting", alerts: "connecting" });
            return this.#streamBackoff.again(() => this.#begin());
        }
        if (session.signed_in) {
            this.#setStatus({ me: { name: session.name, role: session.role } });
            this.#openStream();
            this.#openSocket();
        } else {
            this.#forget();
        }
    }

    /** Nobody is signed in: nothing is kept. */
    #forget() {
        this.#streamBackoff.reset();
        this.#socketBackoff.reset();
        this.#source?.close();
        this.#source = null;
        this.#closeSocket();
        this.#model = new Model();
        this.#alertPosition = null;
        this.#pending = [];
        this.#setStatus({ me: null, stream: "signed out", alerts: "signed out", paused: false, presence: {} });
        this.#tell({ kind: "state", model: { ...this.#model }, status: this.#status });
    }

    // The event stream

    #openStream() {
        this.#source?.close();
        const url = address("v1/stream");
        for (const topic of topics) url.searchParams.append("topic", topic);
        const isNew = this.#model.position == null;
        if (!isNew) url.searchParams.set("last_event_id", this.#model.position);
        const source = new EventSource(url);
        this.#source = source;
        source.onopen = () => {
            this.#streamBackoff.reset();
            this.#setStatus({ stream: "live" });
            this.#fetchPause();
            if (isNew) this.#fetchHistory();
        };
        source.onmessage = ({ data }) => this.#take(JSON.parse(data));
        source.onerror = () => {
            this.#setStatus({ stream: "connecting" });
            // It reconnects by itself but after an answer that is no stream: signed out, or a proxy without its hub.
            if (source.readyState === EventSource.CLOSED) this.#streamBackoff.again(() => this.#reopenStream());
        };
    }

    async #reopenStream() {
        try {
            const session = await ask("GET", "v1/session");
            if (session.signed_in) this.#openStream();
            else this.#forget();
        } catch {
            this.#streamBackoff.again(() => this.#reopenStream());
        }
    }

    #take(frame) {
        if (frame.type === "CLOSING") return;
        if (frame.type === "RULES" && frame.data.all_paused != null) {
            this.#setStatus({ paused: frame.data.all_paused, pausedBy: frame.data.by });
        }
        if (frame.type === "GAP") {
            // What lies between is gone: begin anew with what the hub has.
            this.#model = Object.assign(new Model(), { alerts: this.#model.alerts });
            this.#pending = [];
            this.#tell({ kind: "state", model: { ...this.#model }, status: this.#status });
            return this.#openStream();
        }
        if (this.#model.add(frame)) this.#queue(frame);
    }

    #queue(frame) {
        if (this.#pending.push(frame) === 1) setTimeout(() => this.#flush(), batchInterval);
    }

    #flush() {
        if (this.#pending.length === 0) return;
        const frames = this.#pending;
        this.#pending = [];
        for (const port of this.#ports) port.postMessage({ kind: "frames", frames });
    }

    // What was before

    async #fetchHistory() {
        try {
            const [runs, events, approvals] = await Promise.all([
                ask("GET", `v1/runs?limit=${historyRuns}`), ask("GET", `v1/events?limit=${historyEvents}`),
                ask("GET", `v1/approvals?state=open&limit=${historyRuns}`),
            ]);
            const history = { runs: runs.items, events: events.items, approvals: approvals.items };
            this.#model.addHistory(history);
            this.#tell({ kind: "history", ...history });
            for (const run of runs.items.slice(0, historyTexts)) {
                if (!this.#model.runs.get(run.id)?.isWhole) await this.#fetchDetails(run.id);
            }
        } catch {
            // Without its history the page still shows what happens; the next stream that opens tries again.
        }
    }

    async #fetchPause() {
        const status = await ask("GET", "v1/status").catch(() => null);
        if (status && status.paused !== this.#status.paused) this.#setStatus({ paused: status.paused, pausedBy: null });
    }

    async #fetchDetails(run) {
        const details = await ask("GET", `v1/runs/${run}`).catch(() => null);
        if (!details) return;
        this.#model.addDetails(details);
        this.#tell({ kind: "details", details });
    }

    // The WebSocket

    /** Whoever waits for an answer of it hears that none comes. */
    #closeSocket() {
        const socket = this.#socket;
        this.#socket = null;
        socket?.close();
        for (const { reject } of this.#requests.values()) reject(new Error("the connection was cut"));
        this.#requests.clear();
        this.#status.presence = {};
    }

    #openSocket() {
        this.#closeSocket();
        const url = address("v1/ws");
        url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
        const socket = new WebSocket(url, "belfry.v1");
        this.#socket = socket;
        socket.onopen = () => this.#subscribe(socket);
        socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
        socket.onclose = () => {
            if (this.#socket !== socket) return;
            this.#closeSocket();
            this.#setStatus({ alerts: "connecting" });
            this.#socketBackoff.again(() => this.#openSocket(), this.#askedWait);
            this.#askedWait = undefined;
        };
    }

    async #subscribe(socket) {
        try {
            if (this.#alertPosition == null) {
                const { position } = await this.#call("ping", {});
                this.#alertPosition = Math.max(0, position - alertHistory);
            }
            await this.#call("subscribe", { topics: ["alerts"], after: this.#alertPosition });
            this.#socketBackoff.reset();
            this.#setStatus({ alerts: "live" });
            this.#watch();
        } catch {
            socket.close();
        }
    }

    // Presence

    #attend(port, run) {
        if (run) this.#attended.set(port, run);
        else this.#attended.delete(port);
        this.#watch();
    }

    /** Says which runs the tabs look at; from the first time on the hub tells who else looks at which. */
    #watch() {
        if (this.#watchTimer !== null || this.#socket?.readyState !== WebSocket.OPEN) return;
        this.#watchTimer = setTimeout(async () => {
            this.#watchTimer = null;
            this.#watched = [...new Set(this.#attended.values())].slice(0, 16);
            try {
                const { you, runs } = await this.#call("watch", { runs: this.#watched });
                this.#you = you;
                this.#status.presence = {};
                this.#notePresence(runs);
            } catch {
                // Without it the page still shows the runs.
            }
        }, watchInterval);
    }

    /** Who is where, without oneself. */
    #notePresence(runs) {
        const presence = { ...this.#status.presence };
        for (const { run, operators, viewers } of runs) {
            const others = operators.filter((name) => name !== this.#you);
            const count = viewers - (this.#you === null && this.#watched.includes(run) ? 1 : 0);
            if (others.length || count > 0) presence[run] = { operators: others, viewers: count };
            else delete presence[run];
        }
        this.#setStatus({ presence });
    }

    /** A JSON-RPC request; its result, or what the hub says against it. */
    #call(method, params) {
        return new Promise((resolve, reject) => {
            if (this.#socket?.readyState !== WebSocket.OPEN) return reject(new Error("there is no connection"));
            const id = ++this.#lastRequest;
            this.#requests.set(id, { resolve, reject });
            this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
        });
    }

    #hear({ id, method, params, result, error }) {
        if (method === "frame" && params.type === "CLOSING") {
            this.#askedWait = params.data.retry_ms;
            return;
        }
        if (method === "presence") return this.#notePresence(params.runs);
        if (method === "frame") {
            this.#alertPosition = params.position;
            this.#model.addAlert(params);
            this.#tell({ kind: "alert", frame: params });
            return;
        }
        const request = this.#requests.get(id);
        this.#requests.delete(id);
        if (error) request?.reject(Object.assign(new Error(error.data?.detail ?? error.message), { answered: true }));
        else request?.resolve(result);
    }

    /**
     * An operator's command: over the WebSocket, and over HTTP where there is none. By its id it is one command on both
     * ways. `name` is what the page calls it.
     */
    async #command(port, { run, name, method, params }) {
        const command = { ...params, command_id: commandID() };
        let answer;
        try {
            answer = await this.#call(method, command).catch((error) => {
                if (error.answered) throw error;
                const { run, approval, decision, ...body } = command;
                return ask("POST", approval ? `v1/approvals/${approval}/${decision}` : `v1/runs/${run}/${method.slice(4)}`, body);
            });
        } catch (error) {
            answer = { error: error.message };
        }
        port.postMessage({ kind: "answer", run, name, answer });
    }
}
