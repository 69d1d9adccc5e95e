/**
 * When a scheduled script runs next.
 */

var datetime = require('./glide/datetime');

var DAY_MS = 86400000;
/** A job that repeats faster would leave the others no turn. */
var SHORTEST_MS = 1000;

/** Run types, each with how the next moment after `now` is found. */
var TYPES = {
    on_demand: function () { return null; },
    once: function (job) { return job.run_start ? datetime.parse(job.run_start) : null; },
    daily: function (job, now) {
        return after(job.run_time ? datetime.parse(job.run_time) % DAY_MS : 0, DAY_MS, now);
    },
    periodically: function (job, now) {
        var period = Math.max(job.run_period ? datetime.span(job.run_period) : 0, SHORTEST_MS);
        return after(job.run_start ? datetime.parse(job.run_start) : now, period, now);
    }
};

/** The first of start, start + period, … that is later than now. */
function after(start, period, now) {
    return start > now ? start : start + (Math.floor((now - start) / period) + 1) * period;
}

/**
 * @param {Object} job a row of sysauto_script
 * @param {number} now milliseconds
 * @returns {number|null} milliseconds, null when it never runs by itself
 * @throws when the run type is none of those above
 */
exports.next = function (job, now) {
    var type = job.run_type || 'on_demand';
    var known = Object.keys(TYPES);
    if (known.indexOf(type) < 0) {
        throw new Error('run type "' + type + '" is not provided; known: ' + known.join(', '));
    }
    return TYPES[type](job, now);
};

/** @returns {boolean} whether it runs again after it has run */
exports.repeats = function (job) {
    return job.run_type === 'daily' || job.run_type === 'periodically';
};
