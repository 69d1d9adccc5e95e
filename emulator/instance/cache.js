/**
 * The rows of one configuration table, kept in memory until one of them changes.
 *
 * Rules, Script Includes and properties are asked for on every write and every script; reading the tables
 * each time would make them the slowest part of the emulator.
 */

/**
 * @param {Object} platform
 * @param {string} table
 * @param {function(Array<Object>)} digest turns the rows into what the caller wants to look up
 * @returns {function()} gives the digest of the rows as they are now
 */
exports.of = function (platform, table, digest) {
    var kept = new java.util.concurrent.atomic.AtomicReference({age: -1, value: null});
    var changes = new java.util.concurrent.atomic.AtomicLong(0);
    platform.caches = platform.caches || new java.util.concurrent.CopyOnWriteArrayList();
    platform.caches.add(changes);
    platform.records.onChange(function (change) {
        if (change.table === table) {
            changes.incrementAndGet();
        }
    });
    return function () {
        // Counted before the rows are read: a change during the reading makes the digest old at once.
        var age = changes.get();
        var now = kept.get();
        if (now.age !== age) {
            now = {age: age, value: digest(platform.records.query(table, null, {}))};
            kept.set(now);
        }
        return now.value;
    };
};

/**
 * Read everything anew: writes were undone, of which no listener is told.
 *
 * @param {Object} platform
 */
exports.forget = function (platform) {
    var all = platform.caches.toArray();
    for (var i = 0; i < all.length; i += 1) {
        all[i].incrementAndGet();
    }
};
