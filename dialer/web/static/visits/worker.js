// Without a connection the pages of visits are replaced by one shell, which contains no data of any visit: it shows
// what this phone has stored, and accepts what is entered meanwhile. `self.kept` names the shell and its files.

const CACHE = "visits";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([...self.kept.files, self.kept.shell].map((path) => new Request(path, { redirect: "error" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    const wanted = new Set([...self.kept.files, self.kept.shell]);
    for (const request of await cache.keys()) {
      const { pathname, search } = new URL(request.url);
      if (!wanted.has(pathname + search)) await cache.delete(request);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate" && /^\/visits(\/|$)/.test(pathname)) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(self.kept.shell)) ?? Response.error()));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith((async () => {
      try {
        return await fetch(request);
      } catch {
        return (await caches.match(request)) ?? Response.error();
      }
    })());
  }
});
