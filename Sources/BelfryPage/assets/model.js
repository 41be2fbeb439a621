// What the page knows: a fold over frames (ops/reference/streams.md) and over lists of the API. No DOM, no network.

/** What is kept at most: an open tab must not grow for ever. */
export const limits = {
    runs: 60,
    alerts: 50,
    events: 500,
    /** UTF-16 units of a step's text; the end stays, which is what one watches. */
    text: 64 * 1024,
};

const endStates = new Set(["succeeded", "failed", "stopped", "expired"]);

/** Whether a run in this state says nothing more. */
export const isEnded = (state) => endStates.has(state);

/** Whether nothing of its run was said before this frame. */
const isBeginning = ({ type, data }) => type === "RUN_STARTED" || data?.state === "queued";

export class Model {
    /** By id: `{id, rule, event, state, reason, error, created, started, ended, steps, isWhole}`. */
    runs = new Map();
    /** By id: `{id, source, type, subject, status, time}`. */
    events = new Map();
    /** Newest first: `{position, time, kind, severity, title, text, link, run}`. */
    alerts = [];
    /** The last event, also one that started nothing. */
    lastEvent = null;
    /** How far the stream has come; null before its first frame. */
    position = null;

    /** A copy of another model, as a message carries it. */
    static from(other) {
        return Object.assign(new Model(), other);
    }

    /** A run as a frame or a list names it first. */
    run(id, facts = {}) {
        let run = this.runs.get(id);
        if (!run) {
            run = { id, rule: "", event: null, state: "queued", reason: null, error: null, created: null, started: null,
                ended: null, steps: [], isWhole: true };
            this.runs.set(id, run);
        }
        for (const [key, value] of Object.entries(facts)) if (value != null) run[key] = value;
        return run;
    }

    /** Takes a frame of the stream. False if it is known already. */
    add(frame) {
        const { position, type, data } = frame;
        if (type === "SNAPSHOT") {
            this.position = position;
            if (data.run) this.#restore(data, frame.time);
            // Runs that are only listed: what they have said is asked for when somebody looks.
            for (const { run, rule, state } of data.runs ?? []) {
                if (!this.runs.has(run)) this.run(run, { rule, state, created: frame.time }).isWhole = false;
            }
            return true;
        }
        if (this.position != null && position <= this.position) return false;
        this.position = position;
        if (type === "EVENT") {
            this.#addEvent({ ...data, id: data.event, source: frame.source, time: frame.time });
        } else if (frame.run && (this.runs.has(frame.run) || isBeginning(frame))) {
            // One that had to make room does not come back as a fragment of itself.
            this.#addToRun(this.run(frame.run, { rule: frame.rule }), frame);
        }
        this.#trim();
        return true;
    }

    /** Takes a frame of the topic alerts. */
    addAlert({ position, time, type, data }) {
        if (type !== "NOTICE" || this.alerts.some((alert) => alert.position === position)) return;
        this.alerts.unshift({ ...data, position, time });
        this.alerts.sort((a, b) => b.position - a.position);
        this.alerts.length = Math.min(this.alerts.length, limits.alerts);
    }

    /** Takes lists of the API. What frames have said of a run wins: they may be younger. */
    addHistory({ runs, events, approvals }) {
        for (const event of events.toReversed()) {
            this.#addEvent({ ...event, event: event.id, time: event.received });
        }
        for (const { id, rule, event, state, reason, error, created, started, ended } of runs) {
            const known = this.runs.get(id);
            if (known) this.run(id, { event, created, started: known.started ?? started });
            else this.run(id, { rule, event, state, reason, error, created, started, ended }).isWhole = false;
        }
        for (const approval of approvals) {
            if (!this.runs.has(approval.run)) {
                const { rule, requested } = approval;
                this.run(approval.run, { rule, state: "waiting", created: requested }).isWhole = false;
            }
            addQuestion(this.#step(this.runs.get(approval.run), approval.step, "waiting"), approval);
        }
        this.#trim();
    }

    /** Takes a run with its steps from the API, if frames have not told more. */
    addDetails({ steps, approvals = [], ...facts }) {
        const run = this.runs.get(facts.id) ?? this.run(facts.id, facts);
        if (run.isWhole && run.steps.length > 0) return;
        run.isWhole = true;
        run.steps = steps.map(({ name, state, reason, attempt, error, output, due, said, http_status: status }) => ({
            name, state, reason, attempt, error, due, status, ...clipped(output ?? (said ? withCalls(said) : ""), 0),
        }));
        // Newest first.
        for (const approval of approvals.toReversed()) addQuestion(this.#step(run, approval.step), approval);
    }

    #restore({ run: id, rule, state, reason, steps, approvals = [] }, time) {
        const run = this.run(id, { rule, state, reason });
        run.created ??= time;
        run.steps = steps.map((step) => ({
            name: step.step, state: step.state, reason: step.reason, attempt: step.attempt, error: null,
            ...clipped(withCalls(step), 0),
        }));
        for (const approval of approvals) addQuestion(this.#step(run, approval.step), { ...approval, id: approval.approval });
        run.isWhole = true;
    }

    #addEvent({ id, source, type, subject, status, time, runs }) {
        const event = { id, source, type, subject, status, time };
        this.events.set(id, event);
        for (const run of runs ?? []) {
            if (this.runs.has(run)) this.run(run, { event: id });
        }
        if (!this.lastEvent || time >= this.lastEvent.time) this.lastEvent = event;
    }

    #addToRun(run, { type, time, data }) {
        run.created ??= time;
        switch (type) {
        case "RUN_STARTED":
            Object.assign(run, { state: "running", event: data.event ?? run.event, started: time });
            break;
        case "RUN_STATE":
            run.state = data.state ?? run.state;
            break;
        case "RUN_FINISHED":
        case "RUN_ERROR":
            Object.assign(run, { state: data.state, reason: data.reason, error: data.error ?? null, ended: time });
            break;
        case "COMMAND":
            if (data.kind === "stop") run.stoppedBy = data.by;
            break;
        case "STEP_STARTED": {
            // A new attempt begins with nothing.
            const step = this.#step(run, data.step);
            Object.assign(step, { state: "running", attempt: data.attempt ?? 1, error: null, text: "", dropped: 0 });
            break;
        }
        case "APPROVAL_REQUESTED":
            addQuestion(this.#step(run, data.step, "waiting"), { ...data, id: data.approval, requested: time });
            break;
        case "APPROVAL_DECIDED": {
            const { question } = this.#step(run, data.step);
            const { decision, by, reason, value } = data;
            if (question?.id === data.approval) Object.assign(question, { decision, by, reason, value });
            break;
        }
        case "STEP_STATE":
        case "STEP_FINISHED":
            Object.assign(this.#step(run, data.step), {
                state: data.state, reason: data.reason ?? null, error: data.error ?? null, due: data.due ?? null,
                status: data.http_status ?? null,
            });
            break;
        case "TEXT_MESSAGE_CONTENT":
            this.#write(run, data, data.delta);
            break;
        case "TOOL_CALL_START":
            this.#write(run, data, call(data));
            break;
        case "TOOL_CALL_ARGS":
            this.#write(run, data, data.delta);
            break;
        case "TOOL_CALL_RESULT":
            this.#write(run, data, result(data.content, data.error));
            break;
        }
    }

    #write(run, { step: name }, text) {
        const step = this.#step(run, name);
        Object.assign(step, clipped(joined(step.text, text), step.dropped));
    }

    #step(run, name, state = "running") {
        let step = run.steps.find((step) => step.name === name);
        if (!step) {
            step = { name, state, attempt: 1, error: null, text: "", dropped: 0 };
            run.steps.push(step);
        }
        return step;
    }

    #trim() {
        if (this.runs.size > limits.runs) {
            // Runs at work stay before those that wait, and these before those that have ended.
            const rank = ({ state }) => (isEnded(state) ? 2 : state === "queued" ? 1 : 0);
            const kept = newestFirst(this.runs.values()).sort((a, b) => rank(a) - rank(b));
            for (const run of kept.slice(limits.runs)) this.runs.delete(run.id);
        }
        for (const id of this.events.keys()) {
            if (this.events.size <= limits.events) break;
            this.events.delete(id);
        }
    }
}

/** What a step asks a person, as a frame or the API tells it; the last question counts. */
function addQuestion(step, { id, message, schema, requested: asked, expires, decision, decided_by: by, reason, value, call, ...of }) {
    if (step.question?.id === id) return;
    // Of an agent that wants to call a tool: which, and with what.
    const { tool, arguments: given } = call ?? of;
    step.question = { id, message, schema, asked, expires, decision, by, reason, value, tool, arguments: given };
}

/** Runs as they are shown: those at work, so that a burst that waits does not push them away, then all others. */
export function inOrder(runs) {
    const rank = ({ state }) => (isEnded(state) || state === "queued" ? 1 : 0);
    return newestFirst(runs).sort((a, b) => rank(a) - rank(b));
}

/** Runs by the time they came, the last one first. */
function newestFirst(runs) {
    const key = (run) => `${run.created ?? "9"} ${run.id}`;
    return [...runs].sort((a, b) => (key(a) < key(b) ? 1 : -1));
}

const call = ({ toolCallName }) => `\n→ ${toolCallName} `;
const result = (text, isError) => `\n${isError ? "✗" : "←"} ${text.trimEnd()}\n`;

/** A call that begins the text, or follows another's result, needs no line before it. */
const joined = (text, more) => text + (!text || text.endsWith("\n") ? more.replace(/^\n/, "") : more);

/** The text of a snapshot's step with its calls where they were made, as their frames would have written it. */
function withCalls({ text, calls = [], calls_dropped: dropped }) {
    // Places are counted in bytes.
    const bytes = new TextEncoder().encode(text);
    const said = (from, to) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(from, to));
    let whole = dropped ? `… ${dropped} earlier calls\n` : "";
    let begun = 0;
    for (const made of calls) {
        whole = joined(whole + said(begun, made.at), call(made)) + made.arguments + (made.arguments_bytes ? "…" : "");
        begun = made.at;
        if (made.result == null) continue;
        whole = joined(whole, result(made.result + (made.result_bytes ? "…" : ""), made.state === "failed"));
    }
    return whole + said(begun);
}

/** A text that is not longer than what is kept, and how much of its beginning is gone. */
function clipped(text, dropped) {
    // Room to grow, so that not every delta cuts.
    if (text.length <= limits.text * 1.25) return { text, dropped };
    const rest = text.slice(-limits.text).replace(/^[\uDC00-\uDFFF]/, "");
    return { text: rest, dropped: dropped + text.length - rest.length };
}
