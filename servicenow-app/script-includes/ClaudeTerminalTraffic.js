/**
 * The last hour of our rows in the ECC queue: how many, and how long calls took to be answered. It reads no
 * payload.
 *
 * @typedef {{ms: number, exact: boolean}} Moment exact: to the millisecond, else to the second
 */
var ClaudeTerminalTraffic = Class.create();

ClaudeTerminalTraffic.prototype = {
    OURS: 'ClaudeTerminalProbe',
    STEP_SECONDS: 300,
    STEPS: 12,
    /** The newest calls of the hour that are looked at, and how many rows one query asks for. */
    MOST: 300,
    CHUNK: 100,
    /** Milliseconds since 1970, and a counter of seven digits. [KB0855595] */
    SEQUENCE: /^([0-9a-f]{11})[0-9a-f]{7}$/,
    /** How far a row's two times may differ before its sequence is not believed. */
    SKEW_MS: 2000,

    initialize: function () {
        this._clock = new ClaudeTerminalClock();
        this._now = Number(new GlideDateTime().getNumericValue());
    },

    /** @returns {{seconds: number, steps: {at: string, output: number, input: number}[]}} oldest first */
    queue: function () {
        var step = this.STEP_SECONDS * 1000;
        var last = Math.floor(this._now / step) * step;
        var steps = [];
        var i;
        for (i = this.STEPS - 1; i >= 0; i--) {
            steps.push(this._step(last - i * step, last - (i - 1) * step));
        }
        return {seconds: this.STEP_SECONDS, steps: steps};
    },

    /**
     * From the call's row to its answer's. The long call for output is left out: it waits by design.
     *
     * @returns {Object} count, p50, p95 in milliseconds, exact, limited, operations (the same for each)
     */
    latency: function () {
        var calls = this._calls();
        var taken = this._taken(calls);
        var operations = {};
        taken.forEach(function (one) {
            operations[one.op] = (operations[one.op] || []).concat([one]);
        });
        var all = this._summary(taken);
        all.limited = calls.length >= this.MOST;
        all.operations = Object.keys(operations).sort().map(function (op) {
            var summary = this._summary(operations[op]);
            summary.op = op;
            return summary;
        }, this);
        return all;
    },

    /** @returns {?number} milliseconds since a row was written; null when only the second is known */
    age: function (row) {
        var moment = this._moment(row);
        return moment.exact ? Math.max(0, new Date().getTime() - moment.ms) : null;
    },

    _step: function (from, until) {
        var total = new GlideAggregate('ecc_queue');
        var found = {at: this._clock.told(this._text(from)), output: 0, input: 0};
        total.addQuery('name', this.OURS);
        total.addQuery('sys_created_on', '>=', this._text(from));
        total.addQuery('sys_created_on', '<', this._text(until));
        total.addAggregate('COUNT');
        total.groupBy('queue');
        total.query();
        while (total.next()) {
            found[total.getValue('queue')] = Number(total.getAggregate('COUNT'));
        }
        return found;
    },

    /** @returns {{op: string, ecc: string}[]} answered calls of the last hour, newest first */
    _calls: function () {
        var request = new ClaudeTerminalTable('request').query({});
        var found = [];
        request.addQuery('sys_created_on', '>=', this._clock.ago(this.STEP_SECONDS * this.STEPS));
        request.addQuery('state', 'IN', 'done,failed');
        request.addQuery('op', '!=', 'outputs');
        request.orderByDesc('sys_created_on');
        request.setLimit(this.MOST);
        request.query();
        while (request.next()) {
            found.push({op: request.getValue('op'), ecc: request.getValue('ecc_output')});
        }
        return found;
    },

    /** @returns {{op: string, ms: number, exact: boolean}[]} of the calls whose two rows are there */
    _taken: function (calls) {
        var ids = calls.map(function (call) {
            return call.ecc;
        });
        var asked = this._moments('output', 'sys_id', ids);
        var answered = this._moments('input', 'response_to', ids);
        return calls.filter(function (call) {
            return asked[call.ecc] && answered[call.ecc];
        }).map(function (call) {
            return this._between(call.op, asked[call.ecc], answered[call.ecc]);
        }, this);
    },

    _between: function (op, from, to) {
        var exact = from.exact && to.exact && to.ms >= from.ms;
        return {op: op, exact: exact, ms: exact ? to.ms - from.ms : Math.max(0, to.second - from.second)};
    },

    /** @returns {Object} of call ids: when the first such row was written */
    _moments: function (queue, column, ids) {
        var found = {};
        var at;
        for (at = 0; at < ids.length; at += this.CHUNK) {
            this._collect(found, queue, column, ids.slice(at, at + this.CHUNK));
        }
        return found;
    },

    _collect: function (found, queue, column, ids) {
        var row = new GlideRecord('ecc_queue');
        var moment, id;
        row.addQuery('name', this.OURS);
        row.addQuery('queue', queue);
        row.addQuery(column, 'IN', ids.join(','));
        row.setLimit(2 * this.CHUNK); // an answer may have come twice
        row.query();
        while (row.next()) {
            id = row.getValue(column);
            moment = this._moment(row);
            found[id] = found[id] && found[id].ms <= moment.ms ? found[id] : moment;
        }
    },

    /**
     * Rows know the second they were written in. Their sequence holds milliseconds, but the answer's comes from
     * the MID Server's clock: it counts only where it agrees with the instance's.
     */
    _moment: function (row) {
        var second = Number(new GlideDateTime(row.getValue('sys_created_on')).getNumericValue());
        var match = this.SEQUENCE.exec(String(row.getValue('sequence')).toLowerCase());
        var ms = match ? parseInt(match[1], 16) : NaN;
        var exact = Math.abs(ms - second) <= this.SKEW_MS;
        return {ms: exact ? ms : second, second: second, exact: exact};
    },

    _summary: function (taken) {
        var sorted = taken.map(function (one) {
            return one.ms;
        }).sort(function (a, b) {
            return a - b;
        });
        return {count: sorted.length, p50: this._percentile(sorted, 50), p95: this._percentile(sorted, 95),
            exact: taken.every(function (one) {
                return one.exact;
            })};
    },

    /** @returns {?number} the smallest value that so many percent do not exceed; null of nothing */
    _percentile: function (sorted, percent) {
        return sorted.length ? sorted[Math.ceil(sorted.length * percent / 100) - 1] : null;
    },

    _text: function (ms) {
        var time = new GlideDateTime();
        time.add(ms - Number(time.getNumericValue()));
        return String(time.getValue());
    },

    type: 'ClaudeTerminalTraffic'
};
