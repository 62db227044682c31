// New mails appear by themselves: the first page of the list is fetched again whenever the count has changed.
const count = document.getElementById("count");
let known = count.textContent;

async function look() {
  if (document.hidden || !document.querySelector('[data-live="yes"]')) return;
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const now = page.getElementById("count").textContent;
  if (now === known) return;
  known = now;
  document.querySelector(".total").replaceWith(page.querySelector(".total"));
  document.getElementById("main").replaceWith(page.getElementById("main"));
}

setInterval(() => look().catch(() => {}), 2000);
