/**
 * Pick-up: ask the instance for this MID's outputs, claim them, hand them to the pools.
 *
 * On a push message at once, else at intervals. The MID never changes an output: it inserts a
 * `queue.processing` input, and the instance's business rules move the states. [ecc-queue-mid-server,
 * KB0855595]
 */

var input = require('input');
var sender = require('sender');
var soap = require('soap');

var POLL_S = 40;
var POLL_WITHOUT_PUSH_S = 5;
var POLL_BUSY_S = 5;
var INTERACTIVE = '0';

/**
 * Make the loop that picks up work.
 *
 * @param {{config: Object, soap: Object, log: Object, pools: Object, agent: string,
 *     validated: function(): boolean, work: function(Object)}} mid
 * @returns {{onMessage: function(Object), start: function(), run: function()}}
 */
exports.loop = function (mid) {
    var wake = new java.util.concurrent.LinkedBlockingQueue();
    var interval = intervals(mid.config);
    var state = {trusted: false, resumed: false, failures: 0, nextMs: 0};

    function poll() {
        if (!state.resumed) {
            resume(mid);
            state.resumed = true;
        }
        while (batch(mid)) {
            if (mid.pools.open().length === 0) {
                state.nextMs = soonest(state.nextMs, interval.busyMs);
                return;
            }
        }
    }

    /** Only a look that is due by the clock asks whether the instance still trusts this MID. */
    function look(timed) {
        state.nextMs = Date.now() + interval.idleMs;
        try {
            state.trusted = timed ? mid.validated() : state.trusted;
            if (state.trusted) {
                poll();
            }
            state.failures = 0;
        } catch (error) {
            state.nextMs = Date.now() + pauseMs(mid, error, state.failures);
            state.failures += 1;
        }
    }

    function step() {
        var leftMs = Math.max(0, state.nextMs - Date.now());
        var word = wake.poll(leftMs, java.util.concurrent.TimeUnit.MILLISECONDS);
        if (word !== null && String(word) === 'later') {
            state.nextMs = soonest(state.nextMs, interval.busyMs);
        } else if (word === null || state.failures === 0) {
            wake.clear();
            look(word === null);
        }
    }

    return {
        /** A push message: look at once, unless busy and the message is not interactive. */
        onMessage: function (message) {
            var urgent = String(message.priority) === INTERACTIVE;
            wake.offer(urgent || !mid.pools.busy() ? 'now' : 'later');
        },
        /** The first look, which also takes up what an earlier run of this MID had claimed. */
        start: function () { look(true); },
        run: function () {
            while (true) {
                step();
            }
        }
    };
};

/** An explicit mid.poll.time counts with push and without it. [mid-server-parameters] */
function intervals(config) {
    var seconds = config.flag('mid.disable_amb') ? POLL_WITHOUT_PUSH_S : POLL_S;
    return {
        idleMs: config.number('mid.poll.time', seconds) * 1000,
        busyMs: config.number('mid.poll.time.standard', POLL_BUSY_S) * 1000
    };
}

/** Rows an earlier run claimed and did not answer are run again: delivery is at least once. */
function resume(mid) {
    var rows = fetch(mid, 'processing', mid.pools.capacity());
    if (rows.length > 0) {
        mid.log.info(rows.length + ' outputs of an earlier run are run again');
    }
    submit(mid, rows);
}

/** @returns {boolean} whether there may be more */
function batch(mid) {
    var size = mid.pools.batch();
    var rows = fetch(mid, 'ready', size);
    var fitting = fit(rows, mid.pools);
    if (fitting.length > 0) {
        claim(mid, fitting);
        submit(mid, fitting);
    }
    return rows.length === size;
}

function fetch(mid, state, limit) {
    return mid.soap.getRecords('ecc_queue', {
        agent: mid.agent,
        queue: 'output',
        state: state,
        __encoded_query: 'priorityIN' + mid.pools.open().join(',') + '^ORDERBYpriority^ORDERBYsequence',
        __limit: String(limit)
    });
}

/** What does not fit into memory stays ready on the instance. */
function fit(rows, pools) {
    var taken = {};
    return rows.filter(function (row) {
        taken[row.priority] = (taken[row.priority] || 0) + 1;
        return taken[row.priority] <= pools.room(row.priority);
    });
}

/**
 * A claim whose answer is lost may have been stored, and unclaimed rows would be lost with it: so it is
 * repeated.
 */
function claim(mid, rows) {
    var row = input.claiming(mid.agent, rows);
    var attempt = 0;
    while (!claimed(mid, row, attempt)) {
        attempt += 1;
    }
}

function claimed(mid, row, attempt) {
    try {
        mid.soap.insert('ecc_queue', row);
        return true;
    } catch (error) {
        if (error instanceof soap.Refusal && !error.passing()) {
            throw error;
        }
        java.lang.Thread.sleep(pauseMs(mid, error, attempt));
        return false;
    }
}

function submit(mid, rows) {
    rows.forEach(function (row) {
        mid.pools.submit(row.priority, function () { mid.work(row); });
    });
}

function pauseMs(mid, error, attempt) {
    if (attempt === 0) {
        mid.log.warn('the queue cannot be reached: ' + error.message);
    }
    return sender.pauseMs(error, attempt);
}

function soonest(nextMs, ms) {
    return Math.min(nextMs, Date.now() + ms);
}
