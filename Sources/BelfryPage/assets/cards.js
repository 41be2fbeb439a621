// A run and an alert as elements. Each view touches the document only where something has changed.

import { element, write, writeTime } from "./elements.js";
import { isEnded } from "./model.js";
import { QuestionView } from "./question.js";

/** What an event is, in one line. */
export const fact = (event) => [event.source, event.type, event.subject].filter(Boolean).join(" · ");

/** `820 ms`, `3.2 s`, `4 min 10 s`. */
function duration(milliseconds) {
    if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
    if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
    return `${Math.floor(milliseconds / 60_000)} min ${Math.floor(milliseconds / 1000) % 60} s`;
}

/** `anna is here`, `anna, bert and 2 viewers are here`. */
export function presence({ operators, viewers }) {
    const names = [...operators];
    if (viewers > 0) names.push(viewers === 1 ? "1 viewer" : `${viewers} viewers`);
    if (names.length === 0) return "";
    const last = names.pop();
    const isOne = names.length === 0 && viewers < 2;
    return `${[names.join(", "), last].filter(Boolean).join(" and ")} ${isOne ? "is" : "are"} here`;
}

export class RunCard {
    root = element("li", "run");
    #title = element("h3");
    #state = element("span", "state");
    #trigger = element("p", "trigger");
    #time = element("time");
    #length = element("span", "length");
    #here = element("span", "here");
    #steps = element("div", "steps");
    #note = element("p", "note");
    #stop = element("button", "stop", "Stop");
    #retry = element("button", "retry", "Retry");
    #more = element("button", "more", "Show all");
    #views = [];
    #command;
    #answer = "";
    #run = null;
    #isOpen = false;

    /** `command` and `read` are called with the run's id; `command` with the page's word for it, a method and its params. */
    constructor({ command, read }) {
        const head = element("div", "head");
        const meta = element("div", "meta");
        const facts = element("p", "facts");
        facts.append(this.#time, this.#length, this.#here);
        meta.append(this.#trigger, facts);
        head.append(this.#title, this.#state, this.#stop, this.#retry);
        this.#stop.type = this.#retry.type = this.#more.type = "button";
        this.#note.setAttribute("role", "status");
        this.root.append(head, meta, this.#steps, this.#more, this.#note);
        this.#command = (name, method, params) => command(this.#run.id, name, method, params);
        this.#stop.addEventListener("click", () => {
            this.#stop.disabled = true;
            this.#stop.textContent = "Stopping…";
            this.#command("Stop", "run.stop", { run: this.#run.id });
        });
        this.#retry.addEventListener("click", () => {
            this.#retry.disabled = true;
            // One that has succeeded has no step left to begin at: it begins at its first.
            const first = this.#run.state === "succeeded" ? this.#run.steps[0]?.name : undefined;
            this.#command("Retry", "run.retry", { run: this.#run.id, ...(first && { from: first }) });
        });
        this.#more.addEventListener("click", () => {
            this.#isOpen = !this.#isOpen;
            if (!this.#run.isWhole) read(this.#run.id);
            this.#drawFold();
        });
    }

    /** What the hub said to a command. */
    showAnswer(name, { result, reason, latency_ms: latency, error }) {
        const why = reason ? `, ${reason}` : "";
        this.#answer = error ? `${name} failed: ${error}` : `${name}: ${result}${why} in ${latency} ms`;
        const asked = this.#views.find((view) => view.question.awaitsAnswer)?.question;
        // Why a question stays open stands where it is answered.
        if (asked && (error || result === "rejected")) {
            asked.complain(error ?? reason);
            this.#answer = "";
        }
        for (const button of this.root.querySelectorAll("button:disabled")) button.disabled = false;
        this.#stop.textContent = "Stop";
    }

    /** `here`: who else looks at it, `{operators, viewers}`. */
    show(run, { event, mayCommand, here }) {
        this.#run = run;
        const ended = isEnded(run.state);
        this.root.id = `run/${run.id}`;
        this.root.dataset.state = run.state;
        write(this.#title, run.rule);
        write(this.#state, run.state);
        write(this.#trigger, event ? fact(event) : run.event ?? "");
        if (run.created) writeTime(this.#time, run.created);
        write(this.#here, here ? presence(here) : "");
        const end = ended ? Date.parse(run.ended) : Date.now();
        write(this.#length, run.started && !Number.isNaN(end) ? duration(end - Date.parse(run.started)) : "");
        this.#stop.hidden = ended || !mayCommand;
        this.#stop.setAttribute("aria-label", `Stop ${run.rule}`);
        this.#retry.hidden = !ended || !mayCommand;
        this.#retry.setAttribute("aria-label", `Retry ${run.rule}`);
        run.steps.forEach((step, index) => {
            if (!this.#views[index]) {
                this.#views[index] = new StepView(this.#command);
                this.#steps.append(this.#views[index].root);
            }
            this.#views[index].show(step, { run, isNamed: run.steps.length > 1, mayCommand: mayCommand && !ended });
        });
        for (const view of this.#views.splice(run.steps.length)) view.root.remove();
        const by = run.stoppedBy;
        // What a step says of its own end is not said twice.
        const isTold = run.error && run.steps.some((step) => step.error?.message === run.error.message);
        const why = run.error?.message ?? (ended && run.state !== "succeeded" ? run.reason : "");
        write(this.#note, [isTold ? "" : why, by ? `stopped by ${by}` : "", this.#answer].filter(Boolean).join(" · "));
        this.#note.hidden = !this.#note.textContent;
        this.#drawFold();
    }

    /** Text of an ended run is folded to a few lines. */
    #drawFold() {
        const ended = isEnded(this.#run.state);
        this.#steps.classList.toggle("folded", ended && !this.#isOpen);
        const hides = !this.#run.isWhole || this.#steps.scrollHeight > this.#steps.clientHeight + 1;
        this.#steps.classList.toggle("cut-off", ended && !this.#isOpen && hides);
        this.#more.hidden = !ended || !(this.#isOpen || hides);
        write(this.#more, this.#isOpen ? "Show less" : "Show all");
        this.#more.setAttribute("aria-expanded", this.#isOpen);
    }
}

class StepView {
    root = element("section", "step");
    #title = element("h4");
    #cut = element("p", "cut");
    #text = element("p", "text");
    #node = document.createTextNode("");
    #error = element("p", "note");
    #skip = element("button", "skip", "Skip");
    question;
    #shown = { attempt: 0, dropped: 0, length: 0 };
    #run = null;
    #name = "";

    constructor(command) {
        this.#text.append(this.#node);
        this.question = new QuestionView(command);
        this.#skip.type = "button";
        this.#skip.addEventListener("click", () => {
            this.#skip.disabled = true;
            command(`Skip ${this.#name}`, "run.skip", { run: this.#run, step: this.#name });
        });
        const head = element("div", "head");
        head.append(this.#title, this.#skip);
        this.root.append(head, this.#cut, this.#text, this.question.root, this.#error);
    }

    show({ name, state, reason, attempt, text, dropped, error, due, question, status }, { run, isNamed, mayCommand }) {
        this.#run = run.id;
        this.#name = name;
        const isAsked = this.question.show(question, { step: name, mayDecide: mayCommand, isWaiting: state === "waiting" });
        // A question is denied, and not passed over.
        this.#skip.hidden = !mayCommand || question !== undefined || !["pending", "running", "waiting"].includes(state);
        this.#skip.setAttribute("aria-label", `Skip ${name}`);
        this.root.dataset.state = state;
        write(this.#title, name + (attempt > 1 ? ` · attempt ${attempt}` : "") + (isNamed || reason || state === "waiting" ? ` · ${state}` : "")
            + (reason ? ` (${reason})` : "") + (status ? ` · HTTP ${status}` : "")
            + (state === "waiting" && due && !isAsked ? ` until ${new Date(due).toLocaleString([], { hour12: false })}` : ""));
        write(this.#cut, dropped > 0 ? `… ${dropped.toLocaleString()} characters before this` : "");
        this.#cut.hidden = dropped === 0;
        const shown = this.#shown;
        const { scrollTop, clientHeight, scrollHeight } = this.#text;
        const follows = scrollTop + clientHeight >= scrollHeight - 24;
        if (shown.attempt !== attempt || shown.dropped !== dropped || text.length < shown.length) {
            this.#node.data = text;
        } else if (text.length > shown.length) {
            this.#node.appendData(text.slice(shown.length));
        }
        this.#shown = { attempt, dropped, length: text.length };
        // The end stays in view, unless somebody has scrolled up to read.
        if (state === "running" && follows) this.#text.scrollTop = this.#text.scrollHeight;
        write(this.#error, error?.message ?? "");
        this.#error.hidden = !error;
    }
}

export class AlertItem {
    root = element("li", "alert");
    #title = element("h3");
    #text = element("p");
    #time = element("time");
    #link = element("a");

    constructor() {
        const facts = element("p", "facts");
        facts.append(this.#time, this.#link);
        this.root.append(this.#title, this.#text, facts);
    }

    show({ time, severity, title, text, link }) {
        this.root.dataset.severity = severity;
        write(this.#title, title);
        write(this.#text, text);
        writeTime(this.#time, time);
        const [fragment, kind] = /#(run|rule|source|event)\/.+$/.exec(link ?? "") ?? [];
        this.#link.hidden = !fragment;
        if (!fragment) return;
        this.#link.href = fragment;
        write(this.#link, kind);
    }
}
