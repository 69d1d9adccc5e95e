/**
 * GlideTableCreator, as far as OOB/ImportSetUtil shows it: name, label, update(). It is not documented, and
 * global only. Columns are added as sys_dictionary rows.
 */

var failure = require('../failure');
var query = require('../query');
var trap = require('./trap');

/** Put GlideTableCreator on a script's namespace. */
exports.install = function (scope, platform, scopeName) {
    if (scopeName && scopeName !== 'global') {
        return;
    }
    function GlideTableCreator(name, label) {
        if (!(this instanceof GlideTableCreator)) {
            throw new TypeError('GlideTableCreator is a constructor: use new');
        }
        return Object.create(METHODS, {$: {value: {platform: platform, name: String(name),
            label: String(label || name)}}});
    }
    GlideTableCreator.prototype = METHODS;
    scope.GlideTableCreator = GlideTableCreator;
};

var METHODS = trap.members(Object.create(trap.create('GlideTableCreator', unknown, unknown)), {
    /** Create the table; one that exists stays as it is. */
    update: function () {
        var records = this.$.platform.records;
        if (this.$.platform.dictionary.table(this.$.name)) {
            return;
        }
        records.insert('sys_db_object', {name: this.$.name, label: this.$.label});
        var own = query.equal({name: this.$.name, element: null});
        if (!records.query('sys_dictionary', own, {limit: 1}).length) {
            records.insert('sys_dictionary', {name: this.$.name, internal_type: 'collection',
                column_label: this.$.label});
        }
    },
    toString: function () {
        return '[object GlideTableCreator]';
    },
    valueOf: function () {
        return this;
    }
});

function unknown(creator, name) {
    throw failure.error('GlideTableCreator.' + name +
        ' is not provided; only new GlideTableCreator(name, label) and update() are known');
}
