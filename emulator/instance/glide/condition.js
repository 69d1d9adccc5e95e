/**
 * QueryCondition: what addQuery returns, so that another way to satisfy it can be added.
 * [c_GlideQueryConditionScopedAPI]
 */

var query = require('../query');
var trap = require('./trap');

/**
 * @param {Cursor} cursor
 * @param {number} index of the condition; -1 when it was dropped because its field is unknown
 */
exports.create = function (cursor, index) {
    return Object.create(CONDITION, {$: {value: {cursor: cursor, index: index}}});
};

/** The query of a cursor in encoded form. */
exports.encoded = function (cursor) {
    var terms = cursor.conditions.map(function (tree) { return query.encode(tree); }).filter(String);
    cursor.order.forEach(function (term) {
        terms.push((term.descending ? 'ORDERBYDESC' : 'ORDERBY') + term.column);
    });
    return terms.join('^');
};

function leaf(condition, given) {
    var cursor = condition.$.cursor;
    return given.length > 2 ? cursor.leaf(given[0], given[1], given[2]) :
        cursor.leaf(given[0], '=', given[1]);
}

var CONDITION = trap.members({}, {
    addOrCondition: function () {
        var added = leaf(this, arguments);
        var conditions = this.$.cursor.conditions;
        if (added && this.$.index >= 0) {
            query.alternative(conditions, this.$.index, added);
        } else if (added) {
            this.$.index = conditions.push(added) - 1;
        }
        return this;
    },
    addCondition: function () {
        var added = leaf(this, arguments);
        if (added) {
            this.$.cursor.conditions.push(added);
        }
        return this;
    }
});
