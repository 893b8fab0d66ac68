// Before anything is drawn: the style sheet knows two themes, the system says which.
const dark = matchMedia("(prefers-color-scheme: dark)");
const choose = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
choose();
dark.addEventListener("change", choose);
