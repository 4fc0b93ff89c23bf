// The index as one types: every word must be found in a page, accents and case aside. No server is asked.
const plain = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
const box = document.querySelector("input[type=search]");
const pages = [...document.querySelectorAll("li[data-words]")].map(li => [li, plain(li.textContent) + " " + li.dataset.words]);

function search() {
  const words = plain(box.value).split(/\s+/).filter(Boolean);
  for (const [li, text] of pages) li.hidden = !words.every(word => text.includes(word));
  for (const h2 of document.querySelectorAll("h2")) h2.hidden = !h2.nextElementSibling.querySelector("li:not([hidden])");
  document.getElementById("none").hidden = pages.some(([li]) => !li.hidden);
}

box.value = new URLSearchParams(location.search).get("q") || "";
box.addEventListener("input", search);
box.form.addEventListener("submit", event => event.preventDefault());
search();
