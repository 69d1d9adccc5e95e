/**
 * A thread that does the same piece of work again and again: when poked, and otherwise once in a while.
 */

/**
 * @param {string} name of the thread
 * @param {number} pauseMs the longest time between two turns
 * @param {function()} work one turn; an error goes to `failed` and does not end the thread
 * @param {function(*)} failed
 */
exports.create = function (name, pauseMs, work, failed) {
    return new Worker(name, pauseMs, work, failed);
};

function Worker(name, pauseMs, work, failed) {
    this._pauseMs = pauseMs;
    this._work = work;
    this._failed = failed;
    this._pokes = new java.util.concurrent.Semaphore(0);
    this._stopped = new java.util.concurrent.atomic.AtomicBoolean(false);
    this._thread = new java.lang.Thread(this._run.bind(this), name);
    this._thread.setDaemon(true);
}

Worker.prototype = {
    start: function () { this._thread.start(); },

    /** There is something to do: do not wait for the pause to end. */
    poke: function () { this._pokes.release(); },

    /** Take no further turn; the one under way is not interrupted. */
    stop: function () {
        this._stopped.set(true);
        this.poke();
    },

    _run: function () {
        while (!this._stopped.get()) {
            this._turn();
            this._pokes.tryAcquire(this._pauseMs, java.util.concurrent.TimeUnit.MILLISECONDS);
            // Whatever came in until now, the next turn sees all of it.
            this._pokes.drainPermits();
        }
    },

    _turn: function () {
        try {
            this._work();
        } catch (error) {
            if (!this._stopped.get()) {
                this._failed(error);
            }
        }
    }
};
