/**
 * Widgets: a record's server script run for the user who looks, and what the page needs to show it.
 * [widget-api-reference]
 */

var rows = require('./rows');
var sp = require('./sp');
var styles = require('./styles');
var texts = require('./texts');
var web = require('http/exchange');

/** Widgets may hold widgets; one that holds itself must end. */
var DEPTH_MOST = 10;

/**
 * @param {Object} platform
 * @param {Object} includes what dependencies bring
 */
exports.Widgets = function (platform, includes) {
    this._platform = platform;
    this._includes = includes;
};

exports.Widgets.prototype = {
    /** @returns {Object} the model of a widget instance */
    placed: function (instance, request) {
        var options = rows.parsed(instance.widget_parameters);
        var plain = {};
        Object.keys(options).forEach(function (name) { plain[name] = valueOf(options[name]); });
        ['title', 'color', 'size', 'glyph', 'short_description'].forEach(function (name) {
            if (instance[name] && plain[name] === undefined) {
                plain[name] = instance[name];
            }
        });
        var model = this.model(this._record(instance.sp_widget), plain, request, {instance: instance});
        model.rectangle_id = instance.sys_id;
        model.instance_css = instance.css ? styles.nested(instance.css, '#x' + instance.sys_id) : '';
        model.classes = instance.class_name || '';
        return model;
    },

    /** @returns {Object} the model of a widget by its sys_id or its id */
    byId: function (id, request) {
        return this.model(this._record(id), {}, request, {});
    },

    /**
     * @param {Object} widget its row
     * @param {Object} options
     * @param {{parameters: Object, portal: Object, input: *}} request
     * @param {{instance: Object, depth: number}} place
     * @returns {Object} what the page needs of it
     */
    model: function (widget, options, request, place) {
        var user = this._platform.context.current().user;
        var depth = place.depth || 0;
        if (!rows.permits(user, widget.roles)) {
            throw new web.Refusal(403, 'User Not Authorized', 'You may not use the widget ' + widget.name);
        }
        if (depth > DEPTH_MOST) {
            throw new web.Refusal(500, 'Widgets without end', widget.name + ' holds itself');
        }
        var translate = texts.translator(this._platform);
        var ran = this._run(widget, options, request, {instance: place.instance || null, depth: depth});
        return {
            sys_id: widget.sys_id, id: widget.id || '', name: widget.name || '', data: ran.data,
            options: ran.options, template: translate(widget.template || ''), link: widget.link || '',
            client_script: translate(widget.client_script || ''), controllerAs: widget.controller_as || 'c',
            css: styles.nested(widget.css || '', '.v' + widget.sys_id),
            dependencies: this._includes.of(widget.sys_id),
            providers: this._includes.providers(widget.sys_id),
            ngTemplates: this._templates(widget.sys_id),
            _server_time: new Date().toISOString(), '$$uiNotification': ran.messages
        };
    },

    /** Add to `found` what dependencies marked "page load" bring. */
    early: function (instances, found) {
        var all = this._includes;
        instances.forEach(function (instance) {
            all.of(instance.sp_widget).forEach(function (each) {
                add(found.scripts, each.pageLoad ? each.scripts : []);
                add(found.styles, each.pageLoad ? each.styles : []);
            });
        });
    },

    _record: function (id) {
        var widget = rows.one(this._platform, 'sp_widget', {sys_id: id || 'none'}) ||
            rows.one(this._platform, 'sp_widget', {id: id || 'none'});
        if (widget === null) {
            throw new web.Refusal(404, 'No such widget', String(id));
        }
        return widget;
    },

    // The script's own error does not take the widget away: it is logged and shown, with what data there is.
    _run: function (widget, options, request, place) {
        var platform = this._platform;
        var transaction = platform.context.current();
        var own = {data: platform.engine.adopt({}), options: platform.engine.adopt(options)};
        var before = transaction.messages;
        var self = this;
        transaction.messages = [];
        try {
            platform.engine.run(widget.script || '', 'sp_widget.' + (widget.name || widget.id), {
                scope: platform.scopes.nameOf(widget), bindings: {
                    data: own.data, options: own.options, input: platform.engine.adopt(request.input),
                    $sp: sp.of(platform, request, place, function (id, given) {
                        return self._inner(id, given, request, place.depth);
                    })
                }
            });
        } catch (error) {
            this._report(widget, error);
        } finally {
            own.messages = transaction.messages;
            transaction.messages = before;
        }
        return own;
    },

    // The options given to an embedded widget are its server script's only: later calls do not have them.
    _inner: function (id, given, request, depth) {
        return this.model(this._record(id), given, {
            parameters: request.parameters, portal: request.portal, input: undefined
        }, {depth: depth + 1});
    },

    _report: function (widget, error) {
        if (error instanceof web.Refusal || error.cause instanceof web.Refusal) {
            throw error.cause || error;
        }
        this._platform.log.error('sp_widget', 'server script of ' + widget.name + ': ' + error.message);
        this._platform.context.current().messages.push({
            type: 'error',
            message: 'Server JavaScript error in the widget ' + widget.name + ': ' + error.message
        });
    },

    _templates: function (widgetId) {
        return rows.of(this._platform, 'sp_ng_template', {sp_widget: widgetId}).map(function (row) {
            return {id: row.id, template: row.template || ''};
        });
    }
};

/** Options are kept as values or as {value, displayValue}. [c_WidgetInstanceOptions] */
function valueOf(option) {
    return option !== null && typeof option === 'object' && option.value !== undefined ? option.value :
        option;
}

function add(list, more) {
    more.forEach(function (each) {
        if (list.indexOf(each) < 0) {
            list.push(each);
        }
    });
}
