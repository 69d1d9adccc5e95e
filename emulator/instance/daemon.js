/**
 * Threads that do not keep the process alive: whoever ends it need not know of them.
 */

/**
 * @param {string} name of each thread
 * @returns {Object} a Java ThreadFactory
 */
exports.factory = function (name) {
    return new JavaAdapter(java.util.concurrent.ThreadFactory, {
        newThread: function (work) {
            var thread = new java.lang.Thread(work, name);
            thread.setDaemon(true);
            return thread;
        }
    });
};
