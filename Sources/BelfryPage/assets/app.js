// The page: what the model holds, as elements. Text from outside becomes text and nothing else (textContent): no
// payload, model or rule can bring in markup.

import { ask, Feed } from "./feed.js";
import { inOrder, isEnded, Model } from "./model.js";
import { AlertItem, RunCard, fact } from "./cards.js";

const byID = (id) => document.getElementById(id);
const runList = document.querySelector("#runs > ol");
const alertList = document.querySelector("#alerts > ol");

let model = new Model();
let status = { me: undefined, stream: "connecting", alerts: "connecting" };
const cards = new Map();
const alerts = new Map();

// One feed for all tabs; where there is no SharedWorker, one of this tab's own.

function openFeed() {
    if (globalThis.SharedWorker) {
        // The name holds the version of the messages: tabs of two versions don't share a worker.
        const worker = new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: "belfry-4" });
        return worker.port;
    }
    const { port1, port2 } = new MessageChannel();
    new Feed().connect(port1);
    return port2;
}

const feed = openFeed();

feed.onmessage = ({ data: message }) => {
    switch (message.kind) {
    case "state":
        model = Model.from(message.model);
        status = message.status;
        break;
    case "status":
        status = message.status;
        break;
    case "frames":
        for (const frame of message.frames) {
            if (model.add(frame)) announce(frame);
        }
        break;
    case "history":
        model.addHistory(message);
        break;
    case "details":
        model.addDetails(message.details);
        break;
    case "alert":
        model.addAlert(message.frame);
        break;
    case "answer":
        cards.get(message.run)?.showAnswer(message.name, message.answer);
        break;
    }
    draw();
};

// Drawing, once a frame of the screen at most

let isDrawing = false;

function draw() {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
        isDrawing = false;
        drawStatus();
        drawRuns();
        drawAlerts();
    });
}

function drawStatus() {
    const { me } = status;
    byID("hub").hidden = !me;
    byID("sign-in").hidden = me !== null;
    byID("who").hidden = !me;
    byID("channels").hidden = me === null;
    if (me) byID("who").firstElementChild.textContent = me.role;
    byID("paused").hidden = !status.paused;
    byID("paused-by").textContent = status.pausedBy ? ` by ${status.pausedBy}` : "";
    byID("resume").hidden = !mayOperate();
    for (const channel of ["stream", "alerts"]) {
        const item = byID(`${channel}-state`);
        if (item.dataset.state === status[channel]) continue;
        item.dataset.state = status[channel];
        item.textContent = `${channel} ${status[channel] === "connecting" ? "reconnecting" : status[channel]}`;
    }
}

const mayOperate = () => status.me?.role !== "viewer";

function drawRuns() {
    const runs = inOrder(model.runs.values());
    const actions = {
        command: (run, name, method, params) => feed.postMessage({ kind: "command", run, name, method, params }),
        read: (run) => feed.postMessage({ kind: "details", run }),
    };
    const mayCommand = mayOperate();
    arrange(runList, cards, runs, (run) => run.id, () => new RunCard(actions), (card, run) => {
        card.show(run, { event: model.events.get(run.event), mayCommand, here: status.presence?.[run.id] });
    });
    const last = model.lastEvent;
    const line = byID("last-event");
    line.hidden = !last;
    if (last) line.textContent = `last event: ${fact(last)} → ${last.status}`;
}

function drawAlerts() {
    arrange(alertList, alerts, model.alerts, (alert) => alert.position, () => new AlertItem(), (item, alert) => {
        item.show(alert);
    });
}

/** Brings a list in line with its values: elements that stay are moved only if they must be. */
function arrange(list, views, values, key, make, show) {
    const kept = new Set(values.map(key));
    for (const [id, view] of views) {
        if (kept.has(id)) continue;
        view.root.remove();
        views.delete(id);
    }
    let next = list.firstElementChild;
    for (const value of values) {
        let view = views.get(key(value));
        if (!view) views.set(key(value), view = make(value));
        show(view, value);
        if (view.root === next) next = next.nextElementSibling;
        else list.insertBefore(view.root, next);
    }
}

/** For who hears the page: that runs begin, ask and end, not each word of theirs. */
function announce({ type, rule, data }) {
    if (type === "APPROVAL_REQUESTED") byID("announcement").textContent = `${rule} asks: ${data.message}`;
    if (type === "RUN_STARTED") byID("announcement").textContent = `${rule} has started`;
    if (type === "RUN_FINISHED" || type === "RUN_ERROR") byID("announcement").textContent = `${rule} ${data.state}`;
}

// Running runs show how long they have been at it.
setInterval(() => {
    if (!document.hidden && [...model.runs.values()].some((run) => !isEnded(run.state))) draw();
}, 1000);

// What this tab looks at, for others to see: the run that pointer or focus came to last

let attended = null;

function attend(run) {
    if (run === attended) return;
    attended = run;
    feed.postMessage({ kind: "attend", run });
}

for (const kind of ["pointerover", "focusin"]) {
    runList.addEventListener(kind, ({ target }) => {
        const card = target.closest(".run");
        if (card && !document.hidden) attend(card.id.slice("run/".length));
    });
}
addEventListener("visibilitychange", () => document.hidden && attend(null));

byID("resume").addEventListener("click", async ({ target }) => {
    target.disabled = true;
    await ask("POST", "v1/resume").catch((error) => { byID("announcement").textContent = error.message; });
    target.disabled = false;
});

// Signing in and out

async function signIn(credential, problem) {
    const line = byID("sign-in-problem");
    line.hidden = true;
    try {
        await ask("POST", "v1/session", credential);
        byID("token").value = "";
        feed.postMessage({ kind: "session" });
        followFragment();
    } catch (error) {
        line.textContent = error.status === 401 ? problem : error.message;
        line.hidden = false;
    }
}

byID("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = byID("token").value.trim();
    signIn({ token }, "The hub does not know this token, or it has expired or was revoked.");
});

byID("sign-out").addEventListener("click", async () => {
    await ask("DELETE", "v1/session").catch(() => null);
    feed.postMessage({ kind: "session" });
});

/** `#rule/NAME`, `#source/NAME`, `#event/ID` of a notice: what the hub says of it, less the secrets an admin may read. */
async function showThing(fragment) {
    const [, kind, name] = /^#(rule|source|event)\/([\w.-]+)$/.exec(fragment) ?? [];
    byID("thing").hidden = !kind;
    if (!kind) return;
    byID("thing-title").textContent = `${kind} ${name}`;
    byID("thing-text").textContent = "";
    let shown;
    try {
        const { text, document, secrets, set_up, ...facts } = await ask("GET", `v1/${kind}s/${name}`);
        shown = JSON.stringify(facts, null, 2) + (text ? `\n\n${text}` : "");
    } catch (error) {
        shown = error.message;
    }
    // Somebody may have gone on meanwhile.
    if (location.hash === fragment) byID("thing-text").textContent = shown;
}

byID("thing-close").addEventListener("click", () => { location.hash = ""; });

/** `#sign-in=CODE` of a link; `#run/ID` of a notice, whose run may be older than what the page holds. */
function followFragment() {
    const run = /^#run\/(run_[0-9a-z]+)$/.exec(location.hash)?.[1];
    if (run && !model.runs.has(run)) feed.postMessage({ kind: "details", run });
    showThing(location.hash);
    const code = /^#sign-in=([0-9a-f]+)$/.exec(location.hash)?.[1];
    if (!code) return;
    // Out of the address bar, the history and every screenshot, before anything else.
    history.replaceState(null, "", location.pathname);
    signIn({ code }, "This link was used before, or is older than 15 minutes. belfry tokens sign-in prints a new one.");
}

followFragment();
addEventListener("hashchange", followFragment);
addEventListener("pagehide", () => feed.postMessage({ kind: "bye" }));
// A page that comes back from the browser's cache has no feed any more.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
