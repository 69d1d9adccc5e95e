/**
 * The transaction a thread is working for: who asks, in which scope, with which elevation.
 *
 * It hangs on the thread, as on the platform, so that a GlideRecord deep inside a Script Include knows its
 * user without being told. Nothing else in the emulator is global.
 */

var threads = new java.lang.ThreadLocal();

/** The account of everything that nobody asked for: jobs, events, the platform's own work. */
var SYSTEM = {sys_id: 'system', user_name: 'system', name: 'System', roles: ['admin']};

/**
 * Build a transaction.
 *
 * @param {Object} [facts] any of user, scope, elevated, interactive, rest, sessionId, session
 * @returns {Object} the transaction, not yet running
 */
exports.create = function (facts) {
    var given = facts || {};
    return {
        user: given.user || SYSTEM,
        scope: given.scope || 'global',
        elevated: given.elevated === true,
        interactive: given.interactive === true,
        sessionId: given.sessionId || String(java.util.UUID.randomUUID()).replace(/-/g, '').toUpperCase(),
        //: What scripts keep with `gs.getSession().putClientData`; a signed-in session passes its own.
        session: given.session || {},
        output: [],
        messages: [],
        depth: 0,
        //: Whether a REST client waits for it.
        rest: given.rest === true,
        //: When it is cut off, in milliseconds; known once a script has begun.
        until: null,
        //: The script engine's: standard objects, one namespace for each scope, loaded Script Includes.
        tenant: null
    };
};

/**
 * Do some work as a transaction; the one before is back afterwards.
 *
 * @param {Object} transaction as `create` builds it, or the facts for one
 * @param {function(Object)} work
 * @returns {*} what the work returned
 */
exports.run = function (transaction, work) {
    var running = transaction.output ? transaction : exports.create(transaction);
    var before = threads.get();
    threads.set(running);
    try {
        return work(running);
    } finally {
        threads.set(before);
    }
};

/** @returns {Object} the running transaction; it is an error to ask when there is none */
exports.current = function () {
    var transaction = threads.get();
    if (transaction === null) {
        throw new Error('no transaction is running on this thread');
    }
    return transaction;
};

/** @returns {boolean} whether the thread works for somebody */
exports.running = function () {
    return threads.get() !== null;
};

/** @returns {Object} a new transaction of the platform itself */
exports.system = function () {
    return exports.create({elevated: true});
};

/**
 * Do some work of the running transaction in another scope.
 *
 * @param {string} scope
 * @param {function()} work
 * @returns {*} what the work returned
 */
exports.within = function (scope, work) {
    var transaction = exports.current();
    var before = transaction.scope;
    transaction.scope = scope;
    try {
        return work();
    } finally {
        transaction.scope = before;
    }
};
