// What the phone stores until the server has answered: acts in the order in which they were done, and text that is
// still being typed. Nothing else of a visit is ever stored, and each is deleted as soon as it has been sent.

const NAME = "visits";
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("acts", { keyPath: "n", autoIncrement: true });
      request.result.createObjectStore("drafts", { keyPath: "key" });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); opened = null; };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
  return opened;
}

async function within(table, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(table, mode, { durability: "strict" });
    const request = work(transaction.objectStore(table));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const usable = async () => {
  try {
    await open();
    return true;
  } catch {
    return false;
  }
};

/** Every act, oldest first. */
export const acts = () => within("acts", "readonly", (table) => table.getAll());
/** Stores an act on the disk before it resolves with the act's place in the order. */
export const add = (act) => within("acts", "readwrite", (table) => table.add(act));
export const put = (act) => within("acts", "readwrite", (table) => table.put(act));
export const remove = (n) => within("acts", "readwrite", (table) => table.delete(n));

export const drafts = () => within("drafts", "readonly", (table) => table.getAll());
export const keepDraft = (draft) => within("drafts", "readwrite", (table) => table.put(draft));
export const dropDraft = (key) => within("drafts", "readwrite", (table) => table.delete(key));
