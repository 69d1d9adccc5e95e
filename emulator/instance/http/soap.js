/**
 * The direct SOAP service of each table, `/{table}.do?SOAP`: getRecords, get, insert, update, deleteRecord.
 * [KB0855595, OOB/RESTECCResponse]
 *
 * SOAP 1.1; a child element of the operation is a column. A large field becomes an attachment, and the column then
 * holds `<see_attachment/>`. Not covered: WSDL, aggregate, getKeys, the semaphores.
 */

var attachments = require('attachments');
var envelope = require('http/envelope');
var identity = require('identity');
var rows = require('http/rows');
var web = require('http/exchange');

var PATH = /^\/([a-z][a-z0-9_]*)\.do$/;
var PATCH_MOST = 'glide.soapprocessor.large_field_patch_max';
var DEFAULT_PATCH_MOST = '524288';
var DEFAULT_LIMIT = '250';
var ATTACHED = '<see_attachment/>';
/** What getRecords takes besides columns. */
var CONTROLS = ['__encoded_query', '__limit', '__first_row', '__last_row', '__order_by', '__order_by_desc'];

exports.Soap = function (platform, signIn, faults) {
    this._platform = platform;
    this._signIn = signIn;
    this._faults = faults;
    this._rows = new rows.Rows(platform);
};

exports.Soap.prototype = {
    takes: function (exchange) {
        return PATH.test(exchange.path) && /(^|&)SOAP(=|&|$)/.test(exchange.query);
    },

    handle: function (exchange) {
        var visitor = this._signIn.require(exchange);
        var self = this;
        try {
            this._platform.context.run(this._platform.context.create({
                user: visitor.user, sessionId: visitor.session
            }), function () { self._call(exchange); });
        } catch (error) {
            exchange.reply(500, envelope.TYPE, envelope.fault(this._reason(error)));
        }
    },

    _call: function (exchange) {
        var request = envelope.read(exchange.text());
        var table = PATH.exec(exchange.path)[1];
        var operations = {
            getRecords: this.getRecords, get: this.get, insert: this.insert, update: this.update,
            deleteRecord: this.deleteRecord
        };
        if (!operations.hasOwnProperty(request.operation)) {
            throw refused('the operation ' + request.operation + ' is not provided; there are ' +
                Object.keys(operations).join(', '));
        }
        if (this._platform.dictionary.table(table) === null) {
            throw refused('there is no table ' + table);
        }
        if (!this._rows.open(table)) {
            throw refused('the table ' + table + ' does not allow web services');
        }
        var all = /(^|&)displayvalue=(all|true)(&|$)/.test(exchange.query);
        exchange.reply(200, envelope.TYPE, envelope.answer(request.operation,
            operations[request.operation].call(this, table, request.fields, all)));
    },

    getRecords: function (table, fields, all) {
        var parsed = this._platform.records.parse(table, fields.__encoded_query || '');
        var where = {all: [parsed.where].concat(this._terms(table, fields))};
        var found = this._platform.store.select(table, where, window_(fields, parsed.orderBy));
        return found.filter(function (row) { return this._rows.readable(table, row); }, this)
            .map(function (row) { return {getRecordsResult: this._shown(table, row, all)}; }, this);
    },

    get: function (table, fields, all) {
        return [this._shown(table, this._one(table, fields), all)];
    },

    insert: function (table, fields) {
        var self = this;
        var wish = this._permitted(table, 'create', null, fields);
        if (!this._rows.mayCreate(table, this._whole(table, wish))) {
            throw refused('Insufficient rights to create a record in ' + table);
        }
        var store = function () { return self._store(table, wish); };
        return [{sys_id: isAnswer(table, wish) ? this._faults.answer(store, identity.sysId) : store()}];
    },

    update: function (table, fields) {
        var row = this._one(table, fields);
        if (!this._rows.mayChange(table, row)) {
            throw refused('Insufficient rights to change a record in ' + table);
        }
        var changes = this._permitted(table, 'write', row, fields);
        delete changes.sys_id;
        this._platform.records.update(table, row.sys_id, this._small(table, row.sys_id, changes));
        return [{sys_id: row.sys_id}];
    },

    deleteRecord: function (table, fields) {
        var row = this._one(table, fields);
        if (!this._rows.mayDelete(table, row)) {
            throw refused('Insufficient rights to delete a record in ' + table);
        }
        this._platform.records.remove(table, row.sys_id);
        return [{count: '1'}];
    },

    // The attachment is there before the row is, so that a sensor finds it.
    _store: function (table, wish) {
        var row = {};
        Object.keys(wish).forEach(function (name) { row[name] = wish[name]; });
        row.sys_id = row.sys_id || identity.sysId();
        return this._platform.records.insert(table, this._small(table, row.sys_id, row));
    },

    _small: function (table, sysId, fields) {
        var most = parseInt(this._platform.properties.get(PATCH_MOST, DEFAULT_PATCH_MOST), 10);
        var kept = {};
        Object.keys(fields).forEach(function (name) {
            var large = fields[name] !== null && fields[name].length > most;
            kept[name] = large ? ATTACHED : fields[name];
            if (large) {
                attachments.write(this._platform, {
                    table: table, sysId: sysId, name: name, contentType: 'text/plain'
                }, attachments.encoded(fields[name]));
            }
        }, this);
        return kept;
    },

    _permitted: function (table, operation, row, fields) {
        var columns = this._platform.dictionary.table(table).columns;
        Object.keys(fields).forEach(function (name) {
            if (!columns.hasOwnProperty(name)) {
                throw refused('table ' + table + ' has no column ' + name);
            }
        });
        return this._rows.permitted(table, operation, row, fields);
    },

    _whole: function (table, wish) {
        var row = this._platform.records.blank(table);
        Object.keys(wish).forEach(function (name) { row[name] = wish[name]; });
        return row;
    },

    _one: function (table, fields) {
        var row = this._platform.records.get(table, fields.sys_id || '');
        if (row === null || !this._rows.readable(table, row)) {
            throw refused('there is no record ' + (fields.sys_id || '(no sys_id given)') + ' in ' + table);
        }
        return row;
    },

    _terms: function (table, fields) {
        var query = require('query');
        var context = this._platform.records.queryContext(table);
        return Object.keys(fields).filter(function (name) {
            return CONTROLS.indexOf(name) < 0;
        }).map(function (name) {
            var leaf = query.leaf(name, '=', fields[name], context);
            if (leaf === null) {
                throw refused('table ' + table + ' has no column ' + name);
            }
            return leaf;
        });
    },

    _shown: function (table, row, all) {
        var seen = this._rows.visible(table, row);
        var columns = this._platform.dictionary.table(table).columns;
        var display = require('display');
        Object.keys(seen).forEach(function (name) {
            var reference = columns[name].type === 'reference' && seen[name];
            if (/^password/.test(columns[name].type)) {
                seen[name] = '';
            } else if (all && reference) {
                seen['dv_' + name] = display.reference(this._platform, columns[name].reference, seen[name]);
            }
        }, this);
        return seen;
    },

    _reason: function (error) {
        if (!(error instanceof web.Refusal) && error.name !== 'EmulatorError') {
            this._platform.log.error('soap', String(error.message || error));
        }
        return error instanceof web.Refusal ? error.detail || error.message : String(error.message || error);
    }
};

// What a MID Server posts as the result of a job.
function isAnswer(table, row) {
    return table === 'ecc_queue' && row.queue === 'input' && Boolean(row.response_to);
}

function window_(fields, asked) {
    var first = whole(fields, '__first_row', '0');
    var limit = whole(fields, '__limit', DEFAULT_LIMIT);
    var order = asked.slice();
    listed(fields.__order_by).forEach(function (name) { order.push({column: name, descending: false}); });
    listed(fields.__order_by_desc).forEach(function (name) { order.push({column: name, descending: true}); });
    return {
        orderBy: order, offset: first,
        limit: fields.__last_row ? Math.min(limit, whole(fields, '__last_row', '0') - first) : limit
    };
}

function listed(text) {
    return (text || '').split(',').map(function (name) { return name.trim(); }).filter(Boolean);
}

function whole(fields, name, fallback) {
    var text = fields[name] || fallback;
    if (!/^\d{1,9}$/.test(text)) {
        throw refused(name + ' is a whole number');
    }
    return parseInt(text, 10);
}

function refused(text) {
    return new web.Refusal(500, text, text);
}
