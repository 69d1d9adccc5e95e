/**
 * The header's menu: items of the portal's menu instance. [configure-header-menu]
 */

var rows = require('./rows');

exports.Menus = function (platform) {
    this._platform = platform;
};

exports.Menus.prototype = {
    /** @returns {Array<{label: string, href: string, page: string, glyph: string}>} what the user may see */
    of: function (portal, user) {
        var self = this;
        return portal.sp_rectangle_menu ? rows.of(this._platform, 'sp_rectangle_menu_item', {
            sp_rectangle_menu: portal.sp_rectangle_menu
        }).filter(function (item) { return self._shown(item, user); })
            .map(function (item) { return self._item(item); }) : [];
    },

    _shown: function (item, user) {
        var platform = this._platform;
        return rows.permits(user, item.roles) && platform.engine.condition(item.condition,
            'sp_rectangle_menu_item.' + item.label, {scope: platform.scopes.nameOf(item)});
    },

    _item: function (item) {
        var page = item.type !== 'url' && item.sp_page ?
            this._platform.records.get('sp_page', item.sp_page) : null;
        return {
            label: item.label || '', page: page === null ? '' : page.id, glyph: item.glyph || '',
            href: page === null ? safe(item.url || item.href || '') : '?id=' + encodeURIComponent(page.id)
        };
    }
};

// An address that is a script would run in the page of whoever follows it.
function safe(address) {
    return /^\s*(javascript|data|vbscript):/i.test(address) ? '' : address;
}
