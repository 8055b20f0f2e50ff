"use strict";
const search = document.querySelector(".search");
const findings = [...document.querySelectorAll(".finding")];
const openTarget = () => {
  const target = document.getElementById(location.hash.slice(1));
  target?.closest("details")?.setAttribute("open", "");
  target?.scrollIntoView();
};
addEventListener("hashchange", openTarget);
openTarget();
if (search) {
  const [input, status] = [search.querySelector("input"), search.querySelector("output")];
  const groups = [...document.querySelectorAll(".groups details")];
  let texts;
  const filter = () => {
    const wanted = input.value.toLowerCase();
    texts ??= groups.map(group => [...group.querySelectorAll("article")].map(card =>
      [card, (group.querySelector("h3").textContent + " " + card.textContent).toLowerCase()]));
    let shown = 0;
    groups.forEach((group, nth) => {
      let found = 0;
      for (const [card, text] of texts[nth]) {
        card.hidden = !text.includes(wanted);
        found += !card.hidden;
      }
      group.hidden = !found;
      shown += found;
    });
    status.textContent = wanted ? `${shown.toLocaleString("en")} found` : "";
  };
  input.addEventListener("input", filter);
  const isShown = finding => [finding, finding.parentElement, finding.closest("details")]
    .every(element => getComputedStyle(element).display !== "none");
  const move = step => {
    const last = findings.findIndex(finding => "#" + finding.id === location.hash);
    let at = last + step;
    while (findings[at] && !isShown(findings[at])) at += step;
    if (!findings[at]) return;
    location.hash = findings[at].id;
    openTarget();
    findings[at].querySelector("a").focus({ preventScroll: true });
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === input) {
      if (event.key === "Escape") input.blur();
      return;
    }
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/") { event.preventDefault(); input.focus(); }
  });
  search.hidden = false;
}
