/**
 * Clients of the push channel: what each has subscribed to and what waits for it.
 */

var SILENT_MS = 60000;
/** A client that never fetches is dropped before it fills the memory. */
var QUEUE_MOST = 1000;

exports.Clients = function () {
    this._all = new java.util.concurrent.ConcurrentHashMap();
};

exports.Clients.prototype = {
    /** @returns {string} the id of a new client */
    open: function (visitor) {
        var id = String(java.util.UUID.randomUUID()).replace(/-/g, '');
        this._expire();
        this._all.put(id, new Client(visitor));
        return id;
    },

    /** @returns {Client|null} */
    get: function (id) {
        var client = typeof id === 'string' ? this._all.get(id) : null;
        if (client !== null) {
            client.touch();
        }
        return client;
    },

    close: function (id) {
        var client = this._all.remove(id);
        if (client !== null) {
            client.release();
        }
    },

    /** Go through the clients that are signed in. */
    each: function (visit) {
        var all = this._all.values().iterator();
        var client;
        while (all.hasNext()) {
            client = all.next();
            if (client.user !== null) {
                visit(client);
            }
        }
    },

    _expire: function () {
        var all = this._all.values().iterator();
        while (all.hasNext()) {
            if (all.next().isGone()) {
                all.remove();
            }
        }
    }
};

function Client(visitor) {
    this.user = visitor === null ? null : visitor.user;
    this._channels = new java.util.concurrent.ConcurrentHashMap();
    this._queue = new java.util.concurrent.LinkedBlockingQueue(QUEUE_MOST);
    this._polls = new java.util.concurrent.atomic.AtomicLong(0);
    this._seen = new java.util.concurrent.atomic.AtomicLong(now());
    this._waiting = new java.util.concurrent.atomic.AtomicInteger(0);
}

Client.prototype = {
    belongsTo: function (visitor) {
        return this.user !== null && this.user.sys_id === visitor.user.sys_id;
    },

    touch: function () {
        this._seen.set(now());
    },

    isGone: function () {
        return Number(this._waiting.get()) === 0 && now() - Number(this._seen.get()) > SILENT_MS;
    },

    subscribe: function (channel) {
        this._channels.put(channel, true);
    },

    unsubscribe: function (channel) {
        this._channels.remove(channel);
    },

    /** @returns {Array<string>} */
    channels: function () {
        return Array.prototype.slice.call(this._channels.keySet().toArray()).map(String);
    },

    hears: function (channel) {
        return Boolean(this._channels.containsKey(channel));
    },

    /** Queue an event for the next poll. */
    tell: function (channel, data) {
        this._queue.offer(JSON.stringify({channel: channel, data: data}));
    },

    /** End a poll that waits. */
    release: function () {
        this._polls.incrementAndGet();
    },

    /**
     * Wait for events; a later poll of the same client ends this one.
     *
     * @param {function(): boolean} goOn is asked every `stepMs`
     * @returns {Array<Object>} may be empty
     */
    wait: function (timeoutMs, stepMs, goOn) {
        var mine = Number(this._polls.incrementAndGet());
        var until = now() + timeoutMs;
        var found;
        this._waiting.incrementAndGet();
        try {
            do {
                found = this._take(Math.max(0, Math.min(stepMs, until - now())));
            } while (found.length === 0 && now() < until && goOn() && Number(this._polls.get()) === mine);
        } finally {
            this._waiting.decrementAndGet();
            this.touch();
        }
        return found;
    },

    _take: function (waitMs) {
        var first = this._queue.poll(waitMs, java.util.concurrent.TimeUnit.MILLISECONDS);
        var found = [];
        while (first !== null) {
            found.push(JSON.parse(String(first)));
            first = this._queue.poll();
        }
        return found;
    }
};

function now() {
    return new Date().getTime();
}
