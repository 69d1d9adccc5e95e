/**
 * What widgets depend on: libraries and style sheets, from UI Scripts and sp_css records or by address.
 * [widget-dependencies]
 */

var cache = require('cache');
var content = require('./content');
var rows = require('./rows');
var texts = require('./texts');
var web = require('http/exchange');

var SCRIPT = /^\/([^\/]+)\.jsdbx$/;
var STYLE = /^\/([0-9a-f]{32})\.cssdbx$/;

exports.Includes = function (platform) {
    this._platform = platform;
    this._scripts = cache.of(platform, 'sys_ui_script', scripts);
    this._styles = cache.of(platform, 'sp_css', styles);
};

exports.Includes.prototype = {
    takes: function (path) {
        return SCRIPT.test(path) || STYLE.test(path);
    },

    /** Answer with a UI Script or a style sheet. */
    send: function (exchange) {
        var script = SCRIPT.exec(exchange.path);
        var found = script === null ? this._styles()[STYLE.exec(exchange.path)[1]] :
            byName(this._scripts(), script[1]);
        if (!found) {
            throw new web.Refusal(404, 'No such file', exchange.path);
        }
        found.send(exchange);
    },

    /**
     * @param {string} widgetId
     * @returns {Array<{name, module, pageLoad, scripts, styles}>} the last two are addresses, in order
     */
    of: function (widgetId) {
        var self = this;
        return rows.of(this._platform, 'm2m_sp_widget_dependency', {
            sp_widget: widgetId
        }).map(function (link) {
            return self._platform.records.get('sp_dependency', link.sp_dependency);
        }).filter(Boolean).map(function (dependency) {
            return {
                name: dependency.name || '', module: dependency.module || '',
                pageLoad: dependency.page_load === '1',
                scripts: self._linked(dependency, 'js', self._script),
                styles: self._linked(dependency, 'css', self._style)
            };
        });
    },

    /** @returns {Array<{name: string, type: string, script: string}>} [angular-providers] */
    providers: function (widgetId) {
        var platform = this._platform;
        return rows.of(platform, 'm2m_sp_ng_pro_sp_widget', {sp_widget: widgetId}).map(function (link) {
            return platform.records.get('sp_angular_provider', link.sp_angular_provider);
        }).filter(Boolean).map(function (row) {
            return {name: row.name, type: row.type || 'directive', script: row.script || ''};
        });
    },

    _linked: function (dependency, kind, address) {
        var self = this;
        return rows.of(this._platform, 'm2m_sp_dependency_' + kind + '_include', {
            sp_dependency: dependency.sys_id
        }).map(function (link) {
            var name = 'sp_' + kind + '_include';
            var include = self._platform.records.get(name, link[name]);
            return include === null ? null : include.source === 'url' ? include.url :
                address.call(self, include);
        }).filter(Boolean);
    },

    _script: function (include) {
        var found = this._scripts()[include.sys_ui_script];
        if (!found) {
            this._platform.log.error('portal',
                'JS Include ' + include.display_name + ' has no active UI Script');
            return null;
        }
        return '/' + encodeURIComponent(found.name) + '.jsdbx?v=' + found.version;
    },

    _style: function (include) {
        var found = this._styles()[include.sp_css];
        if (!found) {
            this._platform.log.error('portal', 'CSS Include ' + include.name + ' has no style sheet');
            return null;
        }
        return '/' + include.sp_css + '.cssdbx?v=' + found.version;
    }
};

function scripts(all) {
    return all.filter(function (row) { return row.active !== '0'; }).reduce(function (found, row) {
        found[row.sys_id] = content.of(row.name, 'text/javascript;charset=UTF-8',
            texts.mangled(row.script || ''));
        return found;
    }, {});
}

function styles(all) {
    return all.reduce(function (found, row) {
        found[row.sys_id] = content.of(row.name, 'text/css;charset=UTF-8', row.css || '');
        return found;
    }, {});
}

function byName(found, name) {
    return Object.keys(found).map(function (sysId) { return found[sysId]; }).filter(function (each) {
        return each.name === name;
    })[0] || null;
}
