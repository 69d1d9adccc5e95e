/** MID Script Includes: the active rows of `ecc_agent_script_include`, compiled once. [ILLUMIO] */

var source = require('source');

var ALL = '10000';

/**
 * Offer the includes of an instance.
 *
 * @param {Object} soap of soap.js
 * @param {Object} log of log.js
 * @returns {{load: function(): number, names: function(): Array<string>, script: function(string)}}
 */
exports.library = function (soap, log) {
    // Replaced as a whole, so that a probe under way never sees half of a new set.
    var current = new java.util.concurrent.atomic.AtomicReference({});

    return {
        /**
         * Fetch all of them anew; the former ones stay when that fails. @returns {number} how many
         * there are
         */
        load: function () {
            var rows = soap.getRecords('ecc_agent_script_include', {active: 'true', __limit: ALL});
            var next = {};
            rows.forEach(function (row) { next[row.name] = compiled(row, log); });
            current.set(next);
            return rows.length;
        },
        names: function () { return Object.keys(current.get()); },
        /**
         * @returns {?org.mozilla.javascript.Script} null when there is none of that name
         * @throws {Error} when its source is not ES5
         */
        script: function (name) {
            var all = current.get();
            return Object.prototype.hasOwnProperty.call(all, name) ? all[name]() : null;
        }
    };
};

/** A faulty include must fail the probes that use it, and no others. */
function compiled(row, log) {
    var script = null;
    var problem = null;
    try {
        script = source.compile(row.script || '', row.name);
    } catch (error) {
        problem = String(error.message);
        log.error('MID script include ' + row.name + ' cannot be used: ' + problem);
    }
    return function () {
        if (problem !== null) {
            throw new Error(problem);
        }
        return script;
    };
}
