// What all views make of elements: text from outside becomes text and nothing else.

/** An element with a class, and text that stays text. */
export function element(name, className = "", text = "") {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
}

export function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

/** The time of the day, and of another day its date too. */
export function writeTime(node, time) {
    if (node.dateTime === time) return;
    const date = new Date(time);
    node.dateTime = time;
    node.title = time;
    node.textContent = date.toDateString() === new Date().toDateString()
        ? date.toLocaleTimeString([], { hour12: false }) : date.toLocaleString([], { hour12: false });
}
