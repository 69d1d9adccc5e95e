/**
 * The Table API: `/api/now/table/{table}[/{sys_id}]`. [c_TableAPI]
 *
 * Not covered: XML, import sets, `sysparm_view` (taken and ignored), the 60 s quota.
 */

var cipher = require('cipher');
var fields = require('http/fields');
var password = require('platform/password');
var rows = require('http/rows');
var web = require('http/exchange');

var PATH = /^\/api\/now\/(?:(v1|v2)\/)?table\/([^\/]+)(?:\/([^\/]+))?$/;
var MOST_ROWS = 10000;
var BODY_BYTES = 20 * 1024 * 1024;

exports.TableApi = function (platform, signIn) {
    this._platform = platform;
    this._signIn = signIn;
    this._rows = new rows.Rows(platform);
    this._fields = new fields.Fields(platform, this._rows);
};

exports.TableApi.prototype = {
    takes: function (exchange) {
        return PATH.test(exchange.path);
    },

    handle: function (exchange) {
        var visitor = this._signIn.require(exchange);
        var found = PATH.exec(exchange.path);
        var call = {exchange: exchange, version: found[1], table: found[2], sysId: found[3] || null};
        var self = this;
        this._platform.context.run(this._platform.context.create({
            user: visitor.user, sessionId: visitor.session, interactive: visitor.interactive, rest: true
        }), function () {
            self._check(call);
            self._method(call)(call);
        });
    },

    _check: function (call) {
        var row = this._platform.store.select('sys_db_object', {
            column: 'name', operator: '=', value: call.table
        }, {limit: 1})[0];
        if (row === undefined) {
            throw new web.Refusal(400, 'Invalid table ' + call.table, null);
        }
        if (row.ws_access === '0') {
            throw new web.Refusal(403, 'User Not Authorized', 'The table does not allow web services');
        }
        call.columns = this._platform.dictionary.table(call.table).columns;
    },

    _method: function (call) {
        var methods = call.sysId === null ? {GET: this.list, POST: this.insert} :
            {GET: this.read, PUT: this.update, PATCH: this.update, 'DELETE': this.remove};
        if (!methods.hasOwnProperty(call.exchange.method)) {
            throw new web.Refusal(405, 'Method not supported', call.exchange.method);
        }
        return methods[call.exchange.method].bind(this);
    },

    list: function (call) {
        var query = this._query(call);
        var from = number(call, 'sysparm_offset', 0);
        var most = Math.min(number(call, 'sysparm_limit', MOST_ROWS), MOST_ROWS);
        var total = this._platform.store.count(call.table, query.where);
        var found = this._platform.store.select(call.table, query.where, {
            orderBy: query.orderBy, limit: most, offset: from
        }).filter(function (row) { return this._rows.readable(call.table, row); }, this);
        if (found.length === 0 && call.version === 'v1') {
            throw notFound();
        }
        call.exchange.set('X-Total-Count', total);
        pages(call, from, most, total);
        this._answer(call, 200, found.map(function (row) { return this._shown(call, row); }, this));
    },

    read: function (call) {
        this._answer(call, 200, this._shown(call, this._one(call)));
    },

    insert: function (call) {
        var wish = this._wish(call);
        var row = this._rows.permitted(call.table, 'create', null, wish);
        if (!this._rows.mayCreate(call.table, this._merged(call, row))) {
            throw denied('Insert');
        }
        var records = this._platform.records;
        var sysId = written(function () { return records.insert(call.table, row); });
        call.exchange.set('Location', base(call) + '/api/now/table/' + call.table + '/' + sysId);
        this._answer(call, 201, this._shown(call, records.get(call.table, sysId)));
    },

    update: function (call) {
        var row = this._one(call);
        var wish = this._wish(call);
        var records = this._platform.records;
        if (!this._rows.mayChange(call.table, row)) {
            throw denied('Update');
        }
        var changes = this._rows.permitted(call.table, 'write', row, wish);
        written(function () { return records.update(call.table, row.sys_id, changes); });
        this._answer(call, 200, this._shown(call, records.get(call.table, row.sys_id)));
    },

    remove: function (call) {
        var row = this._one(call);
        var records = this._platform.records;
        if (!this._rows.mayDelete(call.table, row)) {
            throw denied('Delete');
        }
        written(function () { return records.remove(call.table, row.sys_id); });
        call.exchange.reply(204, null, null);
    },

    // A row that may not be seen looks like one that is not there.
    _one: function (call) {
        var row = this._platform.records.get(call.table, call.sysId);
        if (row === null || !this._rows.readable(call.table, row)) {
            throw notFound();
        }
        return row;
    },

    _query: function (call) {
        var asked = call.exchange.parameters();
        var terms = [call.exchange.parameter('sysparm_query') || ''];
        Object.keys(asked).forEach(function (name) {
            if (call.columns.hasOwnProperty(name)) {
                terms.push(name + '=' + asked[name][0]);
            }
        });
        try {
            return this._platform.records.parse(call.table, terms.filter(Boolean).join('^'));
        } catch (error) {
            throw error.badQuery ? new web.Refusal(400, 'Invalid query', error.message) : error;
        }
    },

    _wish: function (call) {
        var sent = body(call.exchange);
        var wish = {};
        Object.keys(sent).forEach(function (name) {
            // The platform drops these without a word; here the caller is told.
            if (!call.columns.hasOwnProperty(name)) {
                throw new web.Refusal(400, 'Invalid field', 'Table ' + call.table + ' has no column ' + name);
            }
            wish[name] = this._stored(call.columns[name], sent[name]);
        }, this);
        return wish;
    },

    _stored: function (column, value) {
        var plain = value !== null && typeof value === 'object' ? value.value : value;
        if (column.type === 'password2' && plain) {
            return cipher.sealed(this._platform, String(plain));
        }
        if (column.type === 'password' && plain) {
            return password.hash(String(plain));
        }
        return plain === null || plain === undefined ? null : String(plain);
    },

    _merged: function (call, wish) {
        var row = this._platform.records.blank(call.table);
        Object.keys(wish).forEach(function (name) { row[name] = wish[name]; });
        return row;
    },

    _shown: function (call, row) {
        var seen = this._rows.visible(call.table, row);
        var wanted = call.exchange.parameter('sysparm_fields');
        var shown = {};
        (wanted ? wanted.split(',').map(trimmed) : Object.keys(seen)).forEach(function (path) {
            var field = this._fields.of(call.table, seen, path);
            if (field !== null) {
                shown[path] = this._form(call, field);
            }
        }, this);
        return shown;
    },

    _form: function (call, field) {
        var style = call.exchange.parameter('sysparm_display_value') || 'false';
        var bare = call.exchange.parameter('sysparm_exclude_reference_link') === 'true';
        var form = {};
        if (style === 'all') {
            form = {display_value: field.display(), value: field.value};
        } else if (field.reference === null || bare) {
            return style === 'true' ? field.display() : field.value;
        } else {
            form[style === 'true' ? 'display_value' : 'value'] =
                style === 'true' ? field.display() : field.value;
        }
        if (field.reference !== null && !bare) {
            form.link = base(call) + '/api/now/table/' + field.reference + '/' + field.value;
        }
        return form;
    },

    _answer: function (call, status, result) {
        call.exchange.json(status, {result: result});
    }
};

function body(exchange) {
    var type = exchange.header('Content-Type') || 'application/json';
    var sent;
    if (type.indexOf('json') < 0) {
        throw new web.Refusal(415, 'Unsupported media type', 'Only application/json is taken, not ' + type);
    }
    try {
        sent = JSON.parse(exchange.text(BODY_BYTES) || '{}');
    } catch (error) {
        throw error instanceof web.Refusal ? error :
            new web.Refusal(400, 'Exception while reading request', 'The body is not JSON');
    }
    if (sent === null || typeof sent !== 'object' || Array.isArray(sent)) {
        throw new web.Refusal(400, 'Exception while reading request', 'The body is not a JSON object');
    }
    return sent;
}

// What the write path refuses is not a fault of the emulator.
function written(work) {
    try {
        return work();
    } catch (error) {
        if (error.aborted || error.duplicate) {
            throw new web.Refusal(403, 'Operation Failed', error.message);
        }
        if (error.name === 'EmulatorError') {
            throw new web.Refusal(400, 'Invalid value', error.message);
        }
        throw error;
    }
}

function pages(call, from, most, total) {
    var asked = call.exchange.parameter('sysparm_suppress_pagination_header') === 'true';
    var steps = {
        first: 0, prev: from - most, next: from + most,
        last: Math.floor(Math.max(total - 1, 0) / most) * most
    };
    if (asked || most === 0 || total <= most) {
        return;
    }
    call.exchange.set('Link', Object.keys(steps).filter(function (name) {
        return steps[name] >= 0 && steps[name] < total;
    }).map(function (name) {
        return '<' + base(call) + call.exchange.rawPath + '?' + offset(call.exchange.query, steps[name]) +
            '>;rel="' + name + '"';
    }).join(','));
}

function offset(query, value) {
    var others = query.split('&').filter(function (pair) { return pair && !/^sysparm_offset=/.test(pair); });
    return others.concat(['sysparm_offset=' + value]).join('&');
}

function base(call) {
    return 'http://' + (call.exchange.header('Host') || 'localhost');
}

function number(call, name, fallback) {
    var text = call.exchange.parameter(name);
    if (text !== null && !/^\d{1,9}$/.test(text)) {
        throw new web.Refusal(400, 'Invalid parameter', name + ' is a whole number');
    }
    return text === null ? fallback : parseInt(text, 10);
}

function trimmed(text) {
    return text.trim();
}

function denied(operation) {
    return new web.Refusal(403, 'Operation Failed', 'ACL Exception ' + operation +
        ' Failed due to security constraints');
}

function notFound() {
    return new web.Refusal(404, 'No Record found',
        'Record doesn\'t exist or ACL restricts the record retrieval');
}
