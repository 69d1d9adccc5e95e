/** Threads and memory queues, one of each per priority. [KB0743566] */

var INTERACTIVE = '0';
var EXPEDITED = '1';
var STANDARD = '2';

/** `limit` names the parameter that changes `threads`; `waiting` is how many more may wait in memory. */
var KINDS = [
    {name: 'Interactive', priority: INTERACTIVE, limit: 'threads.interactive.max', threads: 10, waiting: 40},
    {name: 'Expedited', priority: EXPEDITED, limit: 'threads.expedited.max', threads: 20, waiting: 400},
    {name: 'Standard', priority: STANDARD, limit: 'threads.max', threads: 25, waiting: 500}
];

/**
 * Start the pools.
 *
 * @param {Object} config of configuration.js
 * @returns {Object} `submit`, `open`, `room`, `busy`, `batch`, `capacity`, `counts`
 */
exports.start = function (config) {
    var pools = {};
    KINDS.forEach(function (kind) {
        pools[kind.priority] = pool(kind, config.number(kind.limit, kind.threads));
    });

    function each(read) {
        return KINDS.map(function (kind) { return read(pools[kind.priority], kind); });
    }

    return {
        /** Run a task in the pool of its priority; what is not interactive or expedited is standard. */
        submit: function (priority, task) { (pools[priority] || pools[STANDARD]).submit(task); },
        /** @returns {Array<string>} the priorities that have room for another task, the most urgent first */
        open: function () {
            return KINDS.map(function (kind) { return kind.priority; })
                .filter(function (priority) { return pools[priority].room() > 0; });
        },
        room: function (priority) { return (pools[priority] || pools[STANDARD]).room(); },
        /** @returns {boolean} whether some priority's threads are all at work; heartbeats do not count */
        busy: function () { return pools[EXPEDITED].idle() === 0 || pools[STANDARD].idle() === 0; },
        /** @returns {number} how many rows to ask for at once: as many as there are threads */
        batch: function () {
            return each(function (one) { return one.threads; }).reduce(plus, 0);
        },
        /** @returns {number} how many tasks all pools can hold, running and waiting */
        capacity: function () {
            return each(function (one) { return one.room(); }).reduce(plus, 0);
        },
        /** @returns {Array<{name: string, threads: number, tasks: number}>} for the statistics */
        counts: function () {
            return each(function (one, kind) {
                return {name: kind.name.toLowerCase(), threads: one.threads, tasks: one.tasks()};
            });
        }
    };
};

function pool(kind, threads) {
    var count = new java.util.concurrent.atomic.AtomicInteger(0);
    var executor = java.util.concurrent.Executors.newFixedThreadPool(threads, factory(kind.name));

    return {
        threads: threads,
        tasks: function () { return count.get(); },
        idle: function () { return Math.max(0, threads - count.get()); },
        room: function () { return threads + kind.waiting - count.get(); },
        submit: function (task) {
            count.incrementAndGet();
            executor.execute(new java.lang.Runnable({run: function () {
                try {
                    task();
                } finally {
                    count.decrementAndGet();
                }
            }}));
        }
    };
}

function plus(a, b) {
    return a + b;
}

function factory(name) {
    var number = new java.util.concurrent.atomic.AtomicInteger(0);
    return new java.util.concurrent.ThreadFactory({newThread: function (work) {
        var thread = new java.lang.Thread(work, 'Worker-' + name + '-' + number.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }});
}
