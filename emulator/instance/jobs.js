/**
 * Work that is done later: scheduled scripts and what others put off. Rows of sys_trigger, worked off by
 * threads.
 *
 * A row that was being worked on when the instance ended is worked on again: at least once, as on the
 * platform.
 */

var context = require('./context');
var daemon = require('./daemon');
var datetime = require('./glide/datetime');
var schedule = require('./schedule');
var workers = require('./worker');

/** States of a sys_trigger row. */
var READY = '0';
var RUNNING = '1';

var THREADS = 4;
/** Moments are kept in whole seconds, so looking more often would find nothing. */
var PAUSE_MS = 500;
/** A script that is scheduled. */
var SCRIPT = 'script';
/** Columns of sysauto_script that say when. */
var TIMES = ['active', 'run_type', 'run_period', 'run_start', 'run_time'];

/**
 * @param {Object} platform records, engine, scopes, users and log are used
 * @returns {Object} the jobs; nothing runs before `start`
 */
exports.create = function (platform) {
    return new Jobs(platform);
};

function Jobs(platform) {
    var self = this;
    this._platform = platform;
    this._kinds = {};
    this._locks = new java.util.concurrent.ConcurrentHashMap();
    this._pool = null;
    this._worker = workers.create('jobs', PAUSE_MS, this._dispatch.bind(this), function (error) {
        platform.log.error('jobs', error.message || String(error));
    });
    this.handle(SCRIPT, function (trigger) { self._script(trigger.parent); });
    platform.records.onChange(function (change) {
        var gone = change.operation === 'delete';
        if (change.table === 'sysauto_script' && (gone || concernsTime(change.changes))) {
            self._plan(gone ? null : change.row, change.sysId);
        }
    });
}

Jobs.prototype = {
    /**
     * Say how one kind of row is worked on.
     *
     * @param {string} kind
     * @param {function(Object)} work gets the sys_trigger row; runs as its user
     */
    handle: function (kind, work) { this._kinds[kind] = work; },

    /**
     * Put off a piece of work.
     *
     * @param {Object} trigger columns of sys_trigger; `kind` says who does it; without next_action it is due now
     */
    schedule: function (trigger) {
        trigger.state = READY;
        trigger.next_action = trigger.next_action || datetime.text(Date.now());
        this._platform.records.insert('sys_trigger', trigger, {workflow: false});
        this._worker.poke();
    },

    /** Start the threads; what the last run left unfinished comes first. */
    start: function () {
        var self = this;
        this._pool = java.util.concurrent.Executors.newFixedThreadPool(THREADS, daemon.factory('job'));
        asSystem(function () {
            self._rows('state=' + RUNNING).forEach(function (row) { self._set(row, {state: READY}); });
            self._platform.records.query('sysauto_script', 'active=true').forEach(function (job) {
                // What should run once has run: its row was there until then.
                if (schedule.repeats(job) && !self._rows('parent=' + job.sys_id).length) {
                    self._plan(job, job.sys_id);
                }
            });
        });
        this._worker.start();
    },

    /** Begin nothing more. */
    stop: function () {
        this._worker.stop();
        if (this._pool !== null) {
            this._pool.shutdown();
        }
    },

    /**
     * "Execute Now": run a scheduled script at once, after a run that is under way.
     *
     * @param {string} sysId of the sysauto_script row
     * @returns {Error|null} what went wrong
     */
    run: function (sysId) {
        var self = this;
        try {
            asSystem(function () { self._script(sysId); });
            return null;
        } catch (error) {
            return error;
        }
    },

    // ---- planning
    // ------------------------------------------------------------------------------------------------

    /** Make the row of a scheduled script agree with what it says now. */
    _plan: function (job, sysId) {
        var self = this;
        var next = job && job.active === '1' ? this._next(job) : null;
        this._rows('parent=' + sysId).forEach(function (row) {
            self._platform.records.remove('sys_trigger', row.sys_id, {workflow: false});
        });
        if (next !== null) {
            this.schedule({
                name: job.name, kind: SCRIPT, parent: sysId, next_action: datetime.text(next),
                trigger_type: schedule.repeats(job) ? '1' : '0'
            });
        }
    },

    _next: function (job) {
        try {
            return schedule.next(job, Date.now());
        } catch (error) {
            this._platform.log.error('sysauto_script.' + job.name, error.message);
            return null;
        }
    },

    // ---- working
    // -------------------------------------------------------------------------------------------------

    _dispatch: function () {
        var self = this;
        asSystem(function () {
            var due = 'state=' + READY + '^next_action<=' + datetime.text(Date.now()) + '^ORDERBYnext_action';
            self._rows(due).forEach(function (row) {
                self._set(row, {state: RUNNING});
                self._pool.execute(function () { self._perform(row); });
            });
        });
    },

    _perform: function (row) {
        var self = this;
        var problem = null;
        try {
            context.run(this._transaction(row), function () { self._kind(row)(row); });
        } catch (error) {
            problem = error.message || String(error);
            this._platform.log.error('jobs', row.name + ': ' + problem);
        }
        asSystem(function () { self._finish(row, problem); });
    },

    _kind: function (row) {
        if (!this._kinds[row.kind]) {
            throw new Error('nobody knows how to do work of the kind "' + row.kind + '"');
        }
        return this._kinds[row.kind];
    },

    /** Rows that are planned anew while they run are other rows by then, so this one may be gone. */
    _finish: function (row, problem) {
        var job = row.parent ? this._platform.records.get('sysauto_script', row.parent) : null;
        var next = job && job.active === '1' && schedule.repeats(job) ? this._next(job) : null;
        if (next === null) {
            this._platform.records.remove('sys_trigger', row.sys_id, {workflow: false});
        } else {
            this._set(row, {
                state: READY, next_action: datetime.text(next), last_error: problem,
                run_count: String(Number(row.run_count || 0) + 1),
                error_count: String(Number(row.error_count || 0) + Number(problem !== null))
            });
        }
    },

    /** One scheduled script; never twice at a time. */
    _script: function (sysId) {
        var lock = this._lock(sysId);
        lock.lock();
        try {
            this._execute(this._platform.records.get('sysauto_script', sysId));
        } finally {
            lock.unlock();
        }
    },

    _execute: function (job) {
        var platform = this._platform;
        if (!job) {
            throw new Error('the scheduled script is gone');
        }
        var name = 'sysauto_script.' + job.name;
        var options = {scope: platform.scopes.nameOf(job)};
        context.run(context.create({user: this._user(job.run_as), elevated: !job.run_as}), function () {
            var condition = job.conditional === '1' ? job.condition : '';
            if (platform.engine.condition(condition, name + ' (condition)', options)) {
                platform.engine.run(job.script || '', name, options);
            }
        });
    },

    _transaction: function (row) {
        return context.create({user: this._user(row.user), elevated: !row.user});
    },

    /** The user with that sys_id; the platform itself when there is none. */
    _user: function (sysId) {
        var user = sysId ? this._platform.users.withId(sysId) : null;
        return user || context.system().user;
    },

    _lock: function (sysId) {
        this._locks.putIfAbsent(sysId, new java.util.concurrent.locks.ReentrantLock());
        return this._locks.get(sysId);
    },

    _rows: function (encoded) {
        return this._platform.records.query('sys_trigger', encoded);
    },

    _set: function (row, changes) {
        this._platform.records.update('sys_trigger', row.sys_id, changes, {workflow: false});
    }
};

function concernsTime(columns) {
    return columns.some(function (column) { return TIMES.indexOf(column) >= 0; });
}

function asSystem(work) {
    return context.run(context.system(), work);
}
