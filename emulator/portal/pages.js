/**
 * Portals and pages: which widgets stand where. [c_CoreConcepts, c_Pages]
 */

var rows = require('./rows');
var web = require('http/exchange');

/** The portal every instance has. */
var STANDARD = {
    sys_id: '', url_suffix: 'sp', title: 'Service Portal', homepage: null, sp_rectangle_menu: null
};

/**
 * @param {Object} platform
 * @param {Object} widgets runs them
 * @param {Object} menus
 */
exports.Pages = function (platform, widgets, menus) {
    this._platform = platform;
    this._widgets = widgets;
    this._menus = menus;
};

exports.Pages.prototype = {
    /** @returns {Object|null} the portal with that address; `sp` is there even without a record */
    portal: function (suffix) {
        var found = rows.of(this._platform, 'sp_portal', {url_suffix: suffix})[0] || null;
        return found === null && suffix === STANDARD.url_suffix ? STANDARD :
            found === null || found.inactive === '1' ? null : found;
    },

    /** @returns {Object} the portal for whoever asks for none */
    usual: function () {
        var all = this._platform.store.select('sp_portal', null).filter(function (row) {
            return row.inactive !== '1' && row.url_suffix;
        });
        return all.filter(function (row) { return row['default'] === '1'; })[0] || all[0] || STANDARD;
    },

    /** @returns {Object} the first of some portals that there is */
    withId: function () {
        var platform = this._platform;
        return Array.prototype.slice.call(arguments).reduce(function (found, sysId) {
            return found || (sysId ? platform.records.get('sp_portal', sysId) : null);
        }, null) || STANDARD;
    },

    /**
     * What a page needs before it starts: dependencies marked "page load". [widget-dependencies]
     *
     * @returns {{scripts: Array<string>, styles: Array<string>, title: string}}
     */
    early: function (portal, exchange, user) {
        var page = this._page(portal, exchange.parameter('id'));
        var found = {scripts: [], styles: [], title: page === null ? '' : page.title || ''};
        if (page !== null && rows.permits(user, page.roles)) {
            this._widgets.early(this._instances(page.sys_id, user), found);
        }
        return found;
    },

    /** @returns {Object} everything the page shows: menu, layout, and each widget with its data */
    content: function (request) {
        var user = this._platform.context.current().user;
        var id = (request.parameters.id || [])[0];
        var page = this._page(request.portal, id);
        var answer = {
            portal: {
                sys_id: request.portal.sys_id, title: request.portal.title,
                url_suffix: request.portal.url_suffix
            },
            user: {
                sys_id: user.sys_id, user_name: user.user_name, name: user.name, email: user.email || '',
                logged_in: true
            },
            menu: this._menus.of(request.portal, user), page: null, containers: [], problem: null
        };
        if (page === null) {
            answer.problem = {title: 'Page not found', text: id ? 'There is no page "' + id + '".' :
                'This portal has no home page.'};
        } else if (!rows.permits(user, page.roles)) {
            answer.problem = {title: 'No access', text: 'You do not have the role that this page needs.'};
        } else {
            answer.page = {
                sys_id: page.sys_id, id: page.id, title: page.title || page.id, css: page.css || ''
            };
            answer.containers = this._containers(page, request);
        }
        return answer;
    },

    /** @returns {Object} the model of one widget instance, its server script run with the request's input */
    rectangle: function (sysId, request) {
        var instance = this._platform.records.get('sp_instance', sysId);
        if (instance === null || instance.active === '0') {
            throw new web.Refusal(404, 'No such widget instance', sysId);
        }
        if (!rows.permits(this._platform.context.current().user, instance.roles)) {
            throw new web.Refusal(403, 'User Not Authorized', 'The widget instance is for others');
        }
        return this._widgets.placed(instance, request);
    },

    _page: function (portal, id) {
        return id ? rows.one(this._platform, 'sp_page', {id: id}) :
            portal.homepage ? this._platform.records.get('sp_page', portal.homepage) : null;
    },

    _containers: function (page, request) {
        var self = this;
        return rows.of(this._platform, 'sp_container', {sp_page: page.sys_id}).map(function (container) {
            return {
                width: container.width || 'container', classes: container.class_name || '',
                label: container.screen_reader_title || '',
                rows: self._rows({sp_container: container.sys_id}, request)
            };
        });
    },

    _rows: function (where, request) {
        var self = this;
        return rows.of(this._platform, 'sp_row', where).map(function (row) {
            return {
                classes: row.class_name || '',
                columns: rows.of(self._platform, 'sp_column', {sp_row: row.sys_id}).map(function (column) {
                    return self._column(column, request);
                })
            };
        });
    },

    _column: function (column, request) {
        var user = this._platform.context.current().user;
        var self = this;
        return {
            classes: 'col-md-' + (column.size || 12) + (column.size_xs ? ' col-xs-' + column.size_xs : '') +
                (column.size_sm ? ' col-sm-' + column.size_sm : '') + ' ' + (column.class_name || ''),
            rows: this._rows({sp_column: column.sys_id}, request),
            widgets: this._placed(column.sys_id, user).map(function (instance) {
                return self._widgets.placed(instance, request);
            })
        };
    },

    _placed: function (columnId, user) {
        return rows.of(this._platform, 'sp_instance', {sp_column: columnId}).filter(function (instance) {
            return rows.permits(user, instance.roles);
        });
    },

    /** All widget instances of a page, wherever they stand. */
    _instances: function (pageId, user) {
        var self = this;
        function columns(row) {
            return rows.of(self._platform, 'sp_column', {sp_row: row.sys_id});
        }
        function below(where) {
            return rows.of(self._platform, 'sp_row', where).reduce(function (found, row) {
                return columns(row).reduce(function (all, column) {
                    return all.concat(self._placed(column.sys_id, user), below({sp_column: column.sys_id}));
                }, found);
            }, []);
        }
        return rows.of(this._platform, 'sp_container', {sp_page: pageId}).reduce(function (found, container) {
            return found.concat(below({sp_container: container.sys_id}));
        }, []);
    }
};
