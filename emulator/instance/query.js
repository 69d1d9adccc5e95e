/**
 * Encoded queries as condition trees. [c_GlideRecordAPI, c_RESTAPI]
 *
 * A tree is {all: [trees]}, {any: [trees]}, {none: true} or a leaf {field, path: [{column, table}], column,
 * type, operator, value}. `path` leads through reference columns; `value` is a string, or a list for IN and
 * NOT IN. Operators are the subset the emulator knows; an unknown one is refused, where the platform would
 * guess.
 */

var failure = require('./failure');
var own = require('./own');

/** Longest first: the first that fits is meant. */
var OPERATORS = ['ISNOTEMPTY', 'STARTSWITH', 'ENDSWITH', 'NOT LIKE', 'NOT IN', 'ISEMPTY', 'LIKE', 'IN',
    '!=', '>=', '<=', '=', '>', '<'];

/** Words scripts use in addQuery for the same thing. */
var SYNONYMS = {CONTAINS: 'LIKE', 'DOES NOT CONTAIN': 'NOT LIKE', '<>': '!=', '==': '='};

var EMPTY = {'=': 'ISEMPTY', '!=': 'ISNOTEMPTY'};

/** What a `javascript:` value may be: one call with at most one number. */
var COMPUTABLE = new RegExp('^\\s*gs\\.(getUser(ID|Name|DisplayName)|now|nowDateTime|' +
    '(minutes|hours|days|months|years)Ago(Start|End)?|(beginning|end)Of[A-Z]\\w+)' +
    '\\(\\s*\\d*\\s*\\)\\s*;?\\s*$');

/** Columns are lower case, operators are not: that is where one ends and the other begins. */
var TERM = /^([a-z_][a-z0-9_.]*)([\s\S]*)$/;

/**
 * Read an encoded query.
 *
 * @param {string} encoded e.g. 'state=ready^ORstate=processing^ORDERBYDESCsys_created_on'
 * @param {Object} context {dictionary, table, evaluate: function (source) for javascript: values or nothing,
 *     strict: true when an unknown field makes the query return no rows}
 * @returns {{where: Object, orderBy: Array<{column: string, descending: boolean}>, dropped: Array<string>}}
 */
exports.parse = function (encoded, context) {
    var found = {where: {all: []}, orderBy: [], dropped: []};
    var alternatives = [[]];
    terms(String(encoded || '')).forEach(function (term) {
        if (term.indexOf('NQ') === 0) {
            alternatives.push([]);
            term = term.slice(2);
        }
        take(term, found, alternatives[alternatives.length - 1], context);
    });
    found.where = whole(alternatives);
    if (found.dropped.length && context.strict) {
        found.where = {none: true};
    }
    return found;
};

/** '^' parts terms, '^^' is the character itself. */
function terms(encoded) {
    return encoded.replace(/\^\^/g, '\u0000').split('^')
        .map(function (term) { return term.replace(/\u0000/g, '^'); })
        .filter(function (term) { return term !== '' && term !== 'EQ'; });
}

function take(term, found, conditions, context) {
    var sorted = /^ORDERBY(DESC)?([a-z_].*)$/.exec(term);
    if (sorted) {
        sort(sorted[2], Boolean(sorted[1]), found, context);
        return;
    }
    var or = /^OR([a-z_].*)$/.exec(term.replace(/[\r\n]/g, ' '));
    var leaf = condition(or ? term.slice(2) : term, found, context);
    if (!leaf) {
        return;
    }
    if (or && conditions.length) {
        exports.alternative(conditions, conditions.length - 1, leaf);
    } else {
        conditions.push(leaf);
    }
}

/** Let `leaf` be another way to satisfy the condition at `index`. */
exports.alternative = function (conditions, index, leaf) {
    if (!conditions[index].any) {
        conditions[index] = {any: [conditions[index]]};
    }
    conditions[index].any.push(leaf);
};

function sort(field, descending, found, context) {
    var definition = context.dictionary.table(context.table);
    if (definition && own.has(definition.columns, field)) {
        found.orderBy.push({column: field, descending: descending});
    } else {
        found.dropped.push(field);
    }
}

function condition(term, found, context) {
    var split = TERM.exec(term);
    var operator = split && operatorOf(split[2]);
    if (!operator) {
        throw failure.error('cannot read "' + term.slice(0, 100) + '" in a query; known operators: ' +
            OPERATORS.join(', ') + ', ^, ^OR, ^NQ, ORDERBY, ORDERBYDESC', {badQuery: true});
    }
    var leaf = exports.leaf(split[1], operator, split[2].slice(operator.length), context);
    if (!leaf) {
        found.dropped.push(split[1]);
    }
    return leaf;
}

function operatorOf(text) {
    return OPERATORS.filter(function (operator) { return text.indexOf(operator) === 0; })[0];
}

function whole(alternatives) {
    var filled = alternatives.filter(function (conditions) { return conditions.length; });
    if (filled.length < alternatives.length || filled.length === 1) {
        return {all: filled.length === alternatives.length ? filled[0] : []};
    }
    return {any: filled.map(function (conditions) { return {all: conditions}; })};
}

/**
 * One condition.
 *
 * @param {string} field column, or a dotted path through reference columns
 * @param {string} operator
 * @param {*} value a list or a text with commas for IN and NOT IN
 * @param {Object} context as for parse
 * @returns {Object|null} null when there is no such field
 */
exports.leaf = function (field, operator, value, context) {
    var known = SYNONYMS[operator] || operator;
    if (OPERATORS.indexOf(known) < 0) {
        throw failure.error('query operator "' + operator + '" is not provided; known: ' +
            OPERATORS.join(', '), {badQuery: true});
    }
    var target = resolve(field, context);
    return target && complete(target, known, computed(value, context));
};

/** Follow a dotted name to its column: {field, path, column, type}, or null. */
function resolve(field, context) {
    var names = String(field).split('.');
    var definition = context.dictionary.table(context.table);
    var path = [];
    while (definition && names.length > 1) {
        var step = own.has(definition.columns, names[0]) && definition.columns[names[0]];
        definition = step && step.reference ? context.dictionary.table(step.reference) : null;
        path.push({column: names.shift(), table: step && step.reference});
    }
    if (!definition || !own.has(definition.columns, names[0])) {
        return null;
    }
    return {field: field, path: path, column: names[0], type: definition.columns[names[0]].type};
}

function computed(value, context) {
    var text = value === null || value === undefined ? '' : value;
    if (typeof text !== 'object' && String(text).indexOf('javascript:') === 0) {
        if (!context.evaluate) {
            throw failure.error('a javascript: value cannot be evaluated in this query', {badQuery: true});
        }
        text = context.evaluate(computable(String(text).slice('javascript:'.length)));
    }
    return Array.isArray(text) ? text.map(String) : String(text);
}

/** Queries come from callers, whose scripts the platform runs in a sandbox; here they are not run at all. */
function computable(source) {
    if (!COMPUTABLE.test(source)) {
        throw failure.error('a query computes who the user is or a time, as in javascript:gs.getUserID(); "' +
            source.slice(0, 100) + '" is not provided', {badQuery: true});
    }
    return source;
}

function complete(target, operator, value) {
    if (operator === 'IN' || operator === 'NOT IN') {
        target.value = listed(value).map(function (one) { return stored(one, target.type); });
    } else if (own.has(EMPTY, operator) && (String(value) === '' || String(value) === 'NULL')) {
        operator = EMPTY[operator];
    } else {
        target.value = stored(String(value), target.type);
    }
    target.operator = operator;
    return target;
}

function listed(value) {
    return Array.isArray(value) ? value : value.split(',').map(function (one) { return one.trim(); });
}

function stored(value, type) {
    if (type === 'boolean') {
        return {'true': '1', 'false': '0'}[value.toLowerCase()] || value;
    }
    return value;
}

/**
 * A tree as an encoded query, as far as one can say it: alternatives of single conditions, or of whole
 * queries.
 */
exports.encode = function (tree) {
    if (tree.all) {
        return tree.all.map(exports.encode).filter(String).join('^');
    }
    if (tree.any) {
        var whole = tree.any.some(function (one) { return one.all; });
        return tree.any.map(exports.encode).join(whole ? '^NQ' : '^OR');
    }
    var value = tree.operator === 'ISEMPTY' || tree.operator === 'ISNOTEMPTY' ? '' : String(tree.value);
    return tree.field + tree.operator + value.replace(/\^/g, '^^');
};

/**
 * The tree for "each of these columns has exactly this value"; null or '' means empty.
 *
 * @param {Object} values column → value
 */
exports.equal = function (values) {
    return {all: Object.keys(values).map(function (column) {
        var empty = values[column] === null || values[column] === undefined || values[column] === '';
        return {field: column, column: column, path: [], operator: empty ? 'ISEMPTY' : '=',
            value: empty ? '' : String(values[column])};
    })};
};

// ---- the same conditions on a row in hand
// ------------------------------------------------------------------------

var OPPOSITES = {'!=': '=', 'NOT IN': 'IN', 'NOT LIKE': 'LIKE', 'ISEMPTY': 'ISNOTEMPTY'};

var TESTS = {
    '=': function (a, b, type) { return order(a, b, type) === 0; },
    '>': function (a, b, type) { return order(a, b, type) > 0; },
    '<': function (a, b, type) { return order(a, b, type) < 0; },
    '>=': function (a, b, type) { return order(a, b, type) >= 0; },
    '<=': function (a, b, type) { return order(a, b, type) <= 0; },
    'IN': function (a, list, type) { return list.some(function (b) { return order(a, b, type) === 0; }); },
    'LIKE': function (a, b) { return folded(a).indexOf(folded(b)) >= 0; },
    'STARTSWITH': function (a, b) { return folded(a).indexOf(folded(b)) === 0; },
    'ENDSWITH': function (a, b) { return folded(a).slice(-b.length || a.length) === folded(b); },
    'ISNOTEMPTY': function () { return true; }
};

/**
 * Does a row satisfy a tree?
 *
 * @param {Object} tree
 * @param {Object} row
 * @param {function(string, string): Object} fetch (table, sysId) → row or null, for dotted fields
 * @returns {boolean}
 */
exports.matches = function (tree, row, fetch) {
    function one(branch) { return exports.matches(branch, row, fetch); }
    if (!tree || tree.none) {
        return !tree;
    }
    if (tree.all || tree.any) {
        return tree.all ? tree.all.every(one) : tree.any.some(one);
    }
    var opposite = own.has(OPPOSITES, tree.operator);
    return opposite !== satisfied(tree, opposite ? OPPOSITES[tree.operator] : tree.operator, row, fetch);
};

function satisfied(leaf, operator, row, fetch) {
    var value = reached(leaf, row, fetch);
    if (leaf.type === 'boolean' && value === null && operator !== 'ISNOTEMPTY') {
        value = '0';
    }
    return value !== null && TESTS[operator](value, leaf.value, leaf.type);
}

function reached(leaf, row, fetch) {
    var at = (leaf.path || []).reduce(function (current, step) {
        return current && current[step.column] ? fetch(step.table, current[step.column]) : null;
    }, row);
    var value = at && at[leaf.column];
    return value === undefined || value === null || value === '' ? null : String(value);
}

function order(a, b, type) {
    var numeric = type === 'integer' || type === 'longint' || type === 'decimal' || type === 'float';
    var left = numeric ? Number(a) : folded(a);
    var right = numeric ? Number(b) : folded(b);
    return left < right ? -1 : Number(left > right);
}

function folded(text) {
    return String(text).toLowerCase();
}
