/**
 * What makes the widgets a portal: dependencies, pages with their layout, the portal itself and the menus.
 *
 * The look is not ours to choose. As long as the portal has no theme (so no header either), it gets that of the
 * instance's own portal at /sp, with the widget that draws its menu; what the administrator has chosen is kept.
 * Widgets, scripts and styles are not made here: they come with the update set.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var DEPENDENCY = /* wanted records sp_dependency m2m_sp_widget_dependency */ [];
    var SCRIPTS = /* wanted records sp_js_include m2m_sp_dependency_js_include */ [];
    var STYLES = /* wanted records sp_css_include m2m_sp_dependency_css_include */ [];
    var PAGES = /* wanted records sp_page sp_container sp_row sp_column sp_instance */ [];
    var PORTAL = /* wanted records sp_instance_menu sp_rectangle_menu_item sp_portal */ [];
    var MENU = /* wanted records sys_app_application sys_app_module */ [];

    var convergence = new Convergence(DEPENDENCY.concat(SCRIPTS, STYLES, PAGES, PORTAL, MENU), DRY_RUN);

    function the(table) {
        return convergence.find(PORTAL.filter(function (record) {
            return record.table === table;
        })[0]);
    }

    /** Fills fields of ours that hold nothing with what the same fields of theirs hold. */
    function adopt(ours, theirs, fields) {
        var adopted = fields.filter(function (field) {
            return convergence.held(ours, field) === '' && convergence.held(theirs, field) !== '';
        });
        if (!adopted.length) {
            return;
        }
        adopted.forEach(function (field) {
            ours.setValue(field, convergence.held(theirs, field));
        });
        if (!convergence.dryRun && !ours.update()) {
            throw new Error('The look of the portal could not be set: ' + ours.getLastErrorMessage());
        }
        gs.info((convergence.dryRun ? 'would adopt from /sp: ' : 'adopted from /sp: ') +
            ours.getTableName() + ' ' + adopted.join(', '));
    }

    function adoptLook() {
        var sp = new GlideRecord('sp_portal');
        var menu = new GlideRecord('sp_instance_menu');
        var portal = the('sp_portal');
        if (portal === null || !sp.get('url_suffix', 'sp')) {
            return;
        }
        adopt(portal, sp, ['theme', 'login_page', 'notfound_page']);
        if (menu.get(convergence.held(sp, 'sp_rectangle_menu'))) {
            adopt(the('sp_instance_menu'), menu, ['sp_widget']);
        }
    }

    convergence.run();
    adoptLook();
})();
