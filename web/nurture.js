/* nurture: page views of this site, sent to its owner and to nobody else. No consent: no cookie, nothing sent. */
(function (w, d, n) {
  "use strict";
  var me = d.currentScript, about = me.dataset, to = new URL("t", me.src).href, name = "nurture=";
  var refused = n.globalPrivacyControl || n.doNotTrack === "1" || w.doNotTrack === "1";
  var view, since, seconds, part, before = d.referrer;

  function cookie() {
    var found = d.cookie.split("; ").find(function (one) { return one.startsWith(name); });
    return found ? found.slice(name.length) : "";
  }
  function keep(value, age) {
    d.cookie = name + value + "; path=/; max-age=" + age + "; SameSite=Lax" +
      (about.domain ? "; domain=" + about.domain : "") + (location.protocol === "https:" ? "; Secure" : "");
  }
  function made() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (one) { return ("0" + one.toString(16)).slice(-2); }).join("");
  }
  function send(what) {
    what.visitor = cookie();
    if (refused || !what.visitor) return;
    var body = JSON.stringify(what);
    if (!(n.sendBeacon && n.sendBeacon(to, body)))
      fetch(to, {method: "POST", body: body, keepalive: true, mode: "no-cors", credentials: "omit"}).catch(function () {});
  }
  function visit() {
    if (refused || !cookie()) return;
    left();
    view = made();
    seconds = part = 0;
    since = d.visibilityState === "visible" ? Date.now() : 0;
    send({view: view, url: location.href, referrer: before, title: d.title});
    before = location.href;
  }
  function left() {
    if (view && since) seconds += (Date.now() - since) / 1000;
    since = 0;
    if (view && seconds >= 1) send({view: view, part: ++part, url: location.href, seconds: Math.round(seconds)});
    seconds = 0;
  }
  function consent(given) {
    if (refused) return;
    if (!given) { view = ""; keep("", 0); return; }
    if (!cookie()) keep(made(), 31536000);
    if (!view) visit();
  }
  d.addEventListener("visibilitychange", function () {
    if (d.visibilityState === "hidden") left();
    else if (view) since = Date.now();
  });
  d.addEventListener("submit", function (event) {
    var form = event.target, own = {visitor: cookie(), page: location.href, referrer: d.referrer, place: location.pathname};
    if (refused || new URL(form.action, location).pathname.indexOf("/f/") !== 0) return;
    Object.keys(own).forEach(function (key) {
      var input = form.elements[key] || form.appendChild(d.createElement("input"));
      input.type = "hidden"; input.name = key; input.value = own[key];
    });
  }, true);
  w.nurture = {consent: consent, visit: visit};
  function begin() { if (about.consent === "given") consent(true); else visit(); }
  if (d.prerendering) d.addEventListener("prerenderingchange", begin, {once: true}); else begin();
})(window, document, navigator);
