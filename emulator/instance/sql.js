/**
 * Condition trees and queries as SQL text with parameters. Knows no rows and runs nothing.
 */

var failure = require('./failure');
var own = require('./own');

/** What a column name or table name may look like; nothing else ever gets into a statement. */
var NAME = /^[A-Za-z_][A-Za-z0-9_.]{0,127}$/;

var KINDS = {text: 'TEXT COLLATE NOCASE', integer: 'INTEGER', decimal: 'NUMERIC'};

var MEASURES = {COUNT: 'COUNT', MIN: 'MIN', MAX: 'MAX', SUM: 'SUM', AVG: 'AVG'};

var COMPARISONS = {'=': 1, '>': 1, '<': 1, '>=': 1, '<=': 1};

/** Operators that are the opposite of another: what has no value counts as different, as on the platform. */
var OPPOSITES = {'!=': '=', 'NOT IN': 'IN', 'NOT LIKE': 'LIKE', 'ISEMPTY': 'ISNOTEMPTY'};

exports.quote = quote;

function quote(name) {
    if (!NAME.test(name)) {
        throw failure.error('"' + String(name).slice(0, 60) + '" is not a name of a table, column or index');
    }
    return '"' + name + '"';
}

/** @param {string=} kind 'text', 'integer' or 'decimal' */
exports.declaration = function (kind) {
    return KINDS[kind || 'text'];
};

/** @param {string} cells what `cells` makes of the columns to read */
exports.select = function (table, cells, where, options) {
    var values = [];
    var text = 'SELECT ' + cells + ' FROM ' + quote(table) + filter(where, values) +
        order(options.orderBy || []);
    if (options.limit !== undefined && options.limit !== null) {
        text += ' LIMIT ' + whole(options.limit);
    } else if (options.offset) {
        text += ' LIMIT -1';
    }
    if (options.offset) {
        text += ' OFFSET ' + whole(options.offset);
    }
    return {text: text, values: values};
};

exports.count = function (table, where) {
    var values = [];
    return {text: 'SELECT json_array(CAST(COUNT(*) AS TEXT)) FROM ' + quote(table) + filter(where, values),
        values: values};
};

exports.aggregate = function (table, where, wanted) {
    var values = [];
    var groups = wanted.groups.map(quote);
    var measures = wanted.measures.map(measure);
    var columns = groups.map(function (unused, i) { return 'g' + i; })
        .concat(measures.map(function (unused, i) { return 'm' + i; }));
    var text = 'SELECT json_array(' + groups.concat(measures).map(asText).join(', ') + ') FROM ' +
        quote(table) + filter(where, values) + (groups.length ? ' GROUP BY ' + groups.join(', ') : '') +
        order(wanted.orderBy || wanted.groups.map(function (column) { return {column: column}; }), true);
    return {text: text, values: values, columns: columns};
};

function measure(wanted) {
    if (!own.has(MEASURES, wanted.type)) {
        throw failure.error('aggregate "' + wanted.type + '" is not provided; known: ' +
            Object.keys(MEASURES).join(', '));
    }
    return MEASURES[wanted.type] + '(' + (wanted.column ? quote(wanted.column) : '*') + ')';
}

function asText(expression) {
    return 'CAST(' + expression + ' AS TEXT)';
}

/** Rows travel as JSON arrays of text, in parts, because a function call takes only so many arguments. */
exports.cells = function (columns, perCall) {
    var parts = [];
    for (var start = 0; start < columns.length; start += perCall) {
        var part = columns.slice(start, start + perCall).map(quote).map(asText);
        parts.push('json_array(' + part.join(', ') + ')');
    }
    return parts.join(', ');
};

function order(terms, grouped) {
    var text = terms.map(function (term) {
        return quote(term.column) + (term.descending ? ' DESC' : ' ASC');
    });
    if (!grouped) {
        // Rows that compare equal keep the order of their insertion, so that pages never overlap.
        text.push('rowid ASC');
    }
    return text.length ? ' ORDER BY ' + text.join(', ') : '';
}

function whole(number) {
    var value = Number(number);
    if (!(value >= 0) || Math.floor(value) !== value) {
        throw failure.error('a limit or offset must be a whole number, not ' + number);
    }
    return String(value);
}

function filter(where, values) {
    return where ? ' WHERE ' + condition(where, values) : '';
}

function condition(tree, values) {
    if (tree.none) {
        return '0';
    }
    if (tree.all) {
        return joined(tree.all, ' AND ', '1', values);
    }
    if (tree.any) {
        return joined(tree.any, ' OR ', '0', values);
    }
    if (own.has(OPPOSITES, tree.operator)) {
        return 'NOT IFNULL(' + positive(tree, OPPOSITES[tree.operator], values) + ', 0)';
    }
    return positive(tree, tree.operator, values);
}

function joined(list, word, empty, values) {
    var parts = list.map(function (one) { return condition(one, values); });
    return parts.length ? '(' + parts.join(word) + ')' : empty;
}

/** A condition on a field of a referenced row becomes one nested query per step. */
function positive(leaf, operator, values) {
    var path = leaf.path || [];
    var text = '';
    path.forEach(function (step) {
        text += quote(step.column) + ' IN (SELECT sys_id FROM ' + quote(step.table) + ' WHERE ';
    });
    text += comparison(quote(leaf.column), operator, leaf, values);
    return text + path.map(function () { return ')'; }).join('');
}

function comparison(column, operator, leaf, values) {
    if (operator === 'ISNOTEMPTY') {
        return '(' + column + ' IS NOT NULL AND ' + column + " <> '')";
    }
    if (operator === 'IN') {
        leaf.value.forEach(function (value) { values.push(value); });
        return column + ' IN (' + leaf.value.map(function () { return '?'; }).join(', ') + ')';
    }
    if (operator === 'LIKE' || operator === 'STARTSWITH' || operator === 'ENDSWITH') {
        values.push(pattern(operator, leaf.value));
        return column + " LIKE ? ESCAPE '\\'";
    }
    if (!own.has(COMPARISONS, operator)) {
        throw failure.error('operator "' + operator + '" is not provided');
    }
    values.push(leaf.value);
    // A yes/no field without a value means no.
    return (leaf.type === 'boolean' ? 'IFNULL(' + column + ", '0')" : column) + ' ' + operator + ' ?';
}

function pattern(operator, value) {
    var text = value.replace(/[\\%_]/g, '\\$&');
    return (operator === 'STARTSWITH' ? '' : '%') + text + (operator === 'ENDSWITH' ? '' : '%');
}
