/**
 * Tables that only ever grow are cut back to their newest rows, so that a run that never ends does not fill
 * the disk. The platform rotates them by time; a number of rows bounds a busy hour as well.
 */

/** Rows kept. */
var KEPT = 5000;
/** Rows written between two cuts: counting at every row would cost more than the row. */
var BETWEEN = 500;

/**
 * @param {Object} store
 * @param {string} table
 * @param {{column: string, where: Object}} choice column: the newest rows have the greatest; where:
 *     which rows may go at all
 * @returns {function(): number} to be called for each row written; answers how many were
 */
exports.of = function (store, table, choice) {
    var written = new java.util.concurrent.atomic.AtomicLong(0);
    return function () {
        var number = Number(written.incrementAndGet());
        if (number % BETWEEN === 0) {
            cut(store, table, choice);
        }
        return number;
    };
};

function cut(store, table, choice) {
    store.select(table, choice.where, {
        orderBy: [{column: choice.column, descending: true}], offset: KEPT, limit: KEPT
    }).forEach(function (old) { store.remove(table, old.sys_id); });
}
