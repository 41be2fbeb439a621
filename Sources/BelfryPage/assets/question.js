// A question to a person, and the buttons that answer it.

import { element, write, writeTime } from "./elements.js";

/** The longest that a field grows to by itself. */
const rowsMax = 14;

let count = 0;

/** What a step asks, with the buttons that answer it while it is open. */
export class QuestionView {
    root = element("div", "question");
    #message = element("p", "message");
    #times = element("p", "facts");
    #asked = element("time");
    #expires = element("time");
    #label = element("label", "label");
    #value = element("textarea");
    /** Of a call that is not to be decided here: what it says. */
    #arguments = element("pre", "arguments");
    #problem = element("p", "problem");
    #form = element("div", "answer");
    #approve = element("button", "approve", "Approve");
    #deny = element("button", "deny", "Deny");
    #schema = element("details", "schema");
    #schemaText = element("code");
    #decided = element("p", "decided");
    #question = null;
    #command;

    /** `command` is called with the page's word, a method and its params. */
    constructor(command) {
        this.#command = command;
        this.#approve.type = this.#deny.type = "button";
        this.#value.spellcheck = false;
        this.#value.id = `value-${++count}`;
        this.#problem.id = `problem-${count}`;
        this.#label.htmlFor = this.#value.id;
        this.#problem.setAttribute("role", "alert");
        this.#value.setAttribute("aria-describedby", this.#problem.id);
        this.#times.append("asked ", this.#asked, " · open until ", this.#expires);
        this.#schema.append(element("summary", "", "What it may be"), this.#schemaText);
        this.#form.append(this.#approve, this.#deny);
        this.root.append(this.#message, this.#times, this.#label, this.#value, this.#arguments, this.#problem, this.#form,
            this.#schema, this.#decided);
        this.#approve.addEventListener("click", () => this.#approved());
        this.#deny.addEventListener("click", () => this.#decide("Deny", "deny"));
        this.#value.addEventListener("input", () => {
            this.complain("");
            this.#drawApprove();
        });
    }

    /** Whether the hub has not yet said what came of a decision. */
    get awaitsAnswer() { return this.#approve.disabled; }

    /** Says beside the field why nothing was decided; nothing: takes that back. */
    complain(problem) {
        write(this.#problem, problem);
        this.#problem.hidden = !problem;
        this.#value.setAttribute("aria-invalid", problem !== "");
    }

    /** Returns whether it can be answered here and now. */
    show(question, { step, mayDecide, isWaiting }) {
        this.root.hidden = !question;
        if (!question) return false;
        const { id, message, tool, schema, asked, expires, decision, by, reason, value } = question;
        const isOpen = isWaiting && !decision;
        const isAnswered = isOpen && mayDecide;
        // The answer to one question is none to the next.
        if (this.#question?.id !== id) {
            this.#value.value = this.#given(question);
            this.#value.rows = Math.min(rowsMax, Math.max(3, this.#value.value.split("\n").length));
            this.complain("");
        }
        this.#question = question;
        this.root.dataset.state = isOpen ? "open" : "closed";
        // What the message says of a call in one line stands below, to be read and changed.
        write(this.#message, tool ? `The agent of ${step} wants to call ${tool}` : message);
        this.#times.hidden = !isOpen || !asked || !expires;
        if (!this.#times.hidden) {
            writeTime(this.#asked, asked);
            writeTime(this.#expires, expires);
        }
        this.#form.hidden = !isAnswered;
        this.#value.hidden = this.#label.hidden = this.#schema.hidden = !isAnswered || !schema;
        write(this.#label, tool ? "Arguments, which you may change (JSON)" : "The value (JSON)");
        write(this.#schemaText, schema ? JSON.stringify(schema, null, 2) : "");
        this.#drawApprove();
        const isChanged = decision === "approve" && tool && value != null;
        this.#arguments.hidden = isAnswered || !tool;
        write(this.#arguments, JSON.stringify((isChanged ? value : question.arguments) ?? null, null, 2));
        if (!isAnswered) this.complain("");
        const word = { approve: "approved", deny: "denied", void: "withdrawn" }[decision];
        write(this.#decided, word ? `${word} by ${by}${isChanged ? ", with other arguments" : ""}${reason ? `: ${reason}` : ""}` : "");
        this.#decided.hidden = !word;
        return isOpen;
    }

    #given({ arguments: given }) {
        return given === undefined ? "" : JSON.stringify(given, null, 2);
    }

    /** A call whose arguments were changed is not the one that was asked about: the button says so. */
    #drawApprove() {
        const isChanged = this.#question?.tool && this.#value.value !== this.#given(this.#question);
        write(this.#approve, isChanged ? "Approve as changed" : "Approve");
    }

    #approved() {
        this.complain("");
        if (!this.#question.schema) return this.#decide("Approve", "approve");
        // A call that is allowed as it is carries no arguments of ours.
        if (this.#question.tool && this.#value.value === this.#given(this.#question)) return this.#decide("Approve", "approve");
        let value;
        try {
            value = JSON.parse(this.#value.value);
        } catch (error) {
            this.complain(`This is not JSON: ${error.message}`);
            return this.#value.focus();
        }
        this.#decide("Approve", "approve", { value });
    }

    #decide(name, decision, value = {}) {
        this.#approve.disabled = this.#deny.disabled = true;
        this.#command(name, "approval.decide", { approval: this.#question.id, decision, ...value });
    }
}
