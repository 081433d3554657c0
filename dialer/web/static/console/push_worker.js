// Shows what is pushed while no page is open. The text names no person; a click opens the page where the work waits.
"use strict";

self.addEventListener("push", function (event) {
  var one = { id: "", title: "dialer", text: "", to: "/" };
  try { one = Object.assign(one, event.data.json()); } catch (unreadable) { /* the browser wants something shown */ }
  event.waitUntil(self.registration.showNotification(one.title, {
    body: one.text, tag: one.id || "dialer", data: { to: one.to }, requireInteraction: true
  }));
});

self.addEventListener("notificationclick", function (event) {
  event.notification.close();
  var place = new URL(event.notification.data.to, self.location.origin);
  if (place.origin !== self.location.origin) { return; }
  event.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(function (pages) {
    var open = pages.find(function (page) { return new URL(page.url).pathname === place.pathname; });
    return open ? open.focus() : self.clients.openWindow(place.href);
  }));
});
