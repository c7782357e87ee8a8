// What stays in the browser: conversations and recorded experts, in IndexedDB. Without it (some private
// windows) they live as long as the page.

function promise_of(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open_database() {
  const request = indexedDB.open("fathom", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("conversations", { keyPath: "id" });
    request.result.createObjectStore("experts", { keyPath: "id" })
        .createIndex("conversation", "conversation");
  };
  return promise_of(request);
}

class IndexedStore {
  constructor(database) {
    this.database_ = database;
  }
  objects_(name, mode) {
    return this.database_.transaction(name, mode).objectStore(name);
  }
  all() {
    return promise_of(this.objects_("conversations", "readonly").getAll());
  }
  save(conversation) {
    return promise_of(this.objects_("conversations", "readwrite").put(conversation));
  }
  async remove(id) {
    await promise_of(this.objects_("conversations", "readwrite").delete(id));
    const experts = this.objects_("experts", "readwrite");
    const keys = await promise_of(experts.index("conversation").getAllKeys(id));
    await Promise.all(keys.map((key) => promise_of(experts.delete(key))));
  }
  save_experts(record) {
    return promise_of(this.objects_("experts", "readwrite").put(record));
  }
  load_experts(id) {
    return promise_of(this.objects_("experts", "readonly").get(id));
  }
}

class MemoryStore {
  conversations_ = new Map();
  experts_ = new Map();
  async all() {
    return [...this.conversations_.values()];
  }
  async save(conversation) {
    this.conversations_.set(conversation.id, structuredClone(conversation));
  }
  async remove(id) {
    this.conversations_.delete(id);
    for (const [key, record] of this.experts_) if (record.conversation === id) this.experts_.delete(key);
  }
  async save_experts(record) {
    this.experts_.set(record.id, record);
  }
  async load_experts(id) {
    return this.experts_.get(id);
  }
}

export async function open_store() {
  try {
    return new IndexedStore(await open_database());
  } catch {
    return new MemoryStore();
  }
}
