// The button that prints the register. Without a script there is the browser's own.
const button = document.getElementById("fa-print");
button.hidden = false;
button.addEventListener("click", () => window.print());
