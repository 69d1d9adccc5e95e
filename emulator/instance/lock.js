/**
 * A lock that one thread holds at a time, and may take again while it holds it.
 */

/** @returns {function(function()): *} does some work while holding the lock, and answers what it answers */
exports.create = function () {
    var lock = new java.util.concurrent.locks.ReentrantLock();
    return function (work) {
        lock.lock();
        try {
            return work();
        } finally {
            lock.unlock();
        }
    };
};
