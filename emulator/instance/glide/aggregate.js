/**
 * GlideAggregate: totals of a table, by group or over all. [c_GlideAggregateScopedAPI]
 */

var condition = require('./condition');
var cursors = require('./cursor');
var display = require('../display');
var failure = require('../failure');
var trap = require('./trap');

/** Put GlideAggregate on a script's namespace. */
exports.install = function (scope, platform, scopeName) {
    function GlideAggregate(table) {
        if (!(this instanceof GlideAggregate)) {
            throw new TypeError('GlideAggregate is a constructor: use new');
        }
        var cursor = new cursors.Cursor(platform, String(table), {scope: scopeName});
        cursor.known();
        var state = {cursor: cursor, measures: [], groups: [], order: [], rows: [], position: -1};
        return Object.create(METHODS, {$: {value: state}});
    }
    GlideAggregate.prototype = METHODS;
    scope.GlideAggregate = GlideAggregate;
};

function present(aggregate) {
    var row = aggregate.$.rows[aggregate.$.position];
    if (!row) {
        throw failure.error('GlideAggregate stands on no row: call query() and next() first');
    }
    return row;
}

/** Where a measure lies in a row, or -1. */
function indexOf(aggregate, type, column) {
    var found = -1;
    aggregate.$.measures.forEach(function (measure, i) {
        if (measure.type === type && measure.column === column) {
            found = i;
        }
    });
    return found;
}

function measured(type, column) {
    var named = column !== undefined && column !== null;
    return {type: String(type).toUpperCase(), column: named ? String(column) : null};
}

function condition_(aggregate, leaf) {
    var conditions = aggregate.$.cursor.conditions;
    if (leaf) {
        conditions.push(leaf);
    }
    return condition.create(aggregate.$.cursor, leaf ? conditions.length - 1 : -1);
}

function order(aggregate, field, descending) {
    aggregate.$.cursor.column(String(field));
    aggregate.$.order.push({column: String(field), descending: descending});
}

function run(aggregate) {
    var state = aggregate.$;
    var cursor = state.cursor;
    state.position = -1;
    state.rows = cursor.mayRead() ? totals(state) : [];
}

function totals(state) {
    var cursor = state.cursor;
    return cursor.platform.store.aggregate(cursor.table, cursor.where(), {groups: state.groups,
        measures: state.measures, orderBy: state.order.length ? state.order : null});
}

var METHODS = trap.members(Object.create(trap.create('GlideAggregate', read, write)), {
    addQuery: function (field, operator, value) {
        var leaf = arguments.length === 2 ? this.$.cursor.leaf(field, '=', operator) :
            this.$.cursor.leaf(field, operator, value);
        return condition_(this, leaf);
    },
    addEncodedQuery: function (encoded) {
        this.$.cursor.addEncoded(encoded);
    },
    addNullQuery: function (field) {
        return condition_(this, this.$.cursor.leaf(field, 'ISEMPTY', ''));
    },
    addNotNullQuery: function (field) {
        return condition_(this, this.$.cursor.leaf(field, 'ISNOTEMPTY', ''));
    },
    /** COUNT, MIN, MAX, SUM or AVG; all but COUNT need a field. */
    addAggregate: function (type, field) {
        var measure = measured(type, field);
        if (measure.column === null && measure.type !== 'COUNT') {
            throw new TypeError('addAggregate(\'' + measure.type + '\') needs a field');
        }
        if (measure.column !== null) {
            this.$.cursor.column(measure.column);
        }
        this.$.measures.push(measure);
    },
    groupBy: function (field) {
        this.$.cursor.column(String(field));
        this.$.groups.push(String(field));
    },
    orderBy: function (field) {
        order(this, field, false);
    },
    orderByDesc: function (field) {
        order(this, field, true);
    },
    query: function () {
        run(this);
    },
    hasNext: function () {
        return this.$.position + 1 < this.$.rows.length;
    },
    next: function () {
        if (!this.hasNext()) {
            return false;
        }
        this.$.position++;
        return true;
    },
    getAggregate: function (type, field) {
        var measure = measured(type, field);
        var index = indexOf(this, measure.type, measure.column);
        if (index < 0) {
            throw failure.error('no aggregate ' + measure.type + ' of ' + measure.column + ' was added');
        }
        return present(this).values[index];
    },
    getValue: function (field) {
        return group(this, String(field));
    },
    getDisplayValue: function (field) {
        var cursor = this.$.cursor;
        return display.of(cursor.platform, cursor.definition, String(field), group(this, String(field)));
    },
    getRowCount: function () {
        return this.$.rows.length;
    },
    getTableName: function () {
        return this.$.cursor.table;
    },
    toString: function () {
        return '[object GlideAggregate]';
    },
    valueOf: function () {
        return this;
    }
});

function group(aggregate, field) {
    if (aggregate.$.groups.indexOf(field) < 0) {
        throw failure.error('GlideAggregate of ' + aggregate.$.cursor.table + ' is not grouped by ' + field);
    }
    return present(aggregate).groups[field];
}

function read(aggregate, name) {
    if (/[A-Z]/.test(name)) {
        throw new TypeError('GlideAggregate has no method ' + name + ' here');
    }
    return group(aggregate, name);
}

function write(aggregate, name) {
    throw failure.error('GlideAggregate is read only: cannot set ' + name);
}
