/**
 * Events: rows of sysevent that scripts queue, and the script actions that are run for them.
 *
 * One thread takes them in the order in which they came. One that was being worked on when the instance ended
 * is worked on again.
 */

var cache = require('./cache');
var context = require('./context');
var datetime = require('./glide/datetime');
var query = require('./query');
var record = require('./glide/record');
var rotation = require('./rotation');
var workers = require('./worker');

/** Scheduled events are due at whole seconds. */
var PAUSE_MS = 500;
var BATCH = 100;

/**
 * @param {Object} platform records, engine, scopes and log are used
 * @returns {Object} the events; none is worked on before `start`
 */
exports.create = function (platform) {
    return new Events(platform);
};

function Events(platform) {
    this._platform = platform;
    this._rotate = rotation.of(platform.store, 'sysevent', {column: 'process_on', where: {any: [
        query.equal({state: 'processed'}), query.equal({state: 'error'})
    ]}});
    this._actions = cache.of(platform, 'sysevent_script_action', byEvent);
    this._worker = workers.create('events', PAUSE_MS, this._turn.bind(this), function (error) {
        platform.log.error('events', error.message || String(error));
    });
}

Events.prototype = {
    /**
     * Queue an event.
     *
     * @param {{name, table, instance, parm1, parm2, queue, processOn}} event table and instance: the record it is
     *     about; processOn: a moment as text, now when left out
     */
    queue: function (event) {
        var user = context.current().user;
        this._platform.records.insert('sysevent', {
            name: event.name, table: event.table || null, instance: event.instance || null,
            parm1: event.parm1 || null, parm2: event.parm2 || null, queue: event.queue || null,
            process_on: event.processOn || datetime.text(Date.now()), state: 'ready',
            user_id: user.sys_id, user_name: user.user_name
        }, {workflow: false});
        this._worker.poke();
    },

    /** Start the thread; what the last run left unfinished comes first. */
    start: function () {
        var self = this;
        context.run(context.system(), function () {
            self._rows('state=processing').forEach(function (row) { self._set(row, {state: 'ready'}); });
        });
        this._worker.start();
    },

    stop: function () { this._worker.stop(); },

    _turn: function () {
        var due = 'state=ready^process_on<=' + datetime.text(Date.now()) + '^ORDERBYprocess_on';
        var self = this;
        var rows;
        do {
            rows = context.run(context.system(), function () { return self._rows(due); });
            rows.forEach(function (row) { self._process(row); });
        } while (rows.length === BATCH);
    },

    _process: function (row) {
        var self = this;
        context.run(context.system(), function () {
            var started = Date.now();
            var problems;
            self._set(row, {state: 'processing'});
            problems = (self._actions()['$' + row.name] || [])
                .map(function (action) { return self._attempt(action, row); })
                .filter(function (problem) { return problem !== null; });
            self._set(row, {
                state: problems.length ? 'error' : 'processed', error: problems.join('\n') || null,
                processed: datetime.text(Date.now()), processing_duration: String(Date.now() - started)
            });
            self._rotate();
        });
    },

    /** One script action; the others of the event run whatever becomes of it. */
    _attempt: function (action, row) {
        var name = 'sysevent_script_action.' + action.name;
        var engine = this._platform.engine;
        var options = {scope: this._platform.scopes.nameOf(action), bindings: this._bindings(row)};
        try {
            if (engine.condition(action.condition_script, name + ' (condition)', options)) {
                engine.run(action.script || '', name, options);
            }
            return null;
        } catch (error) {
            this._platform.log.error(name, error.message || String(error));
            return error.message || String(error);
        }
    },

    /** `event`, and `current`: the record it is about, as it is by now. */
    _bindings: function (row) {
        var platform = this._platform;
        var about = row.table && platform.dictionary.table(row.table) ?
            platform.records.get(row.table, row.instance) : null;
        return {
            event: record.wrap(platform, 'sysevent', row),
            current: about ? record.wrap(platform, row.table, about) : null
        };
    },

    _rows: function (encoded) {
        return this._platform.records.query('sysevent', encoded, {limit: BATCH});
    },

    _set: function (row, changes) {
        this._platform.records.update('sysevent', row.sys_id, changes, {workflow: false});
    }
};

function byEvent(rows) {
    var events = {};
    rows.filter(function (row) { return row.active === '1'; }).sort(function (left, right) {
        return Number(left.order) - Number(right.order);
    }).forEach(function (row) {
        var key = '$' + row.event_name;
        events[key] = (events[key] || []).concat([row]);
    });
    return events;
}
