/**
 * Tells what is missing in an installation, and changes nothing. Run it whenever something is wrong, and last.
 *
 * Compares every record of the application with what was delivered, scripts by their checksums, and looks whether the
 * MID Servers, or the pollers, named in x_claude_terminal.mids can be used.
 */
(function () {
    /* include converge.js */

    var WANTED = /* wanted everything */ [];
    var MENDED_BY = {
        sys_db_object: 'fix script 01 or 02', sys_dictionary: 'fix script 01 or 02',
        sys_index: 'fix script 01 or 02',
        sys_properties: 'fix script 03',
        sys_user_role: 'fix script 04', sys_user_role_contains: 'fix script 04',
        sys_security_acl: 'fix script 04', sys_security_acl_role: 'fix script 04',
        sys_scope_privilege: 'fix script 05',
        sp_dependency: 'fix script 06', sp_js_include: 'fix script 06', sp_css_include: 'fix script 06',
        m2m_sp_dependency_js_include: 'fix script 06', m2m_sp_dependency_css_include: 'fix script 06',
        m2m_sp_widget_dependency: 'fix script 06',
        sp_page: 'fix script 06', sp_container: 'fix script 06', sp_row: 'fix script 06',
        sp_column: 'fix script 06', sp_instance: 'fix script 06',
        sp_portal: 'fix script 06', sp_instance_menu: 'fix script 06',
        sp_rectangle_menu_item: 'fix script 06',
        sys_app_application: 'fix script 06', sys_app_module: 'fix script 06'
    };

    var SILENT_MS = 60000;
    var convergence = new Convergence(WANTED, true);
    var findings = 0;

    function find(line) {
        findings += 1;
        gs.info(line);
    }

    function mending(record) {
        return ' (mended by ' + (MENDED_BY[record.table] || 'importing the update set again') + ')';
    }

    function checkRecord(record) {
        var row = convergence.find(record);
        var differing, scripts;
        if (row === null) {
            find('missing: ' + convergence.title(record) + mending(record));
            return;
        }
        convergence.actual[record.sys_id] = row.getUniqueValue();
        scripts = Object.keys(record.scripts).filter(function (column) {
            return Convergence.checksum(convergence.held(row, column)) !== record.scripts[column];
        });
        differing = convergence.differing(record, row).concat(scripts);
        if (differing.length) {
            find('differs: ' + convergence.title(record) + ': ' + differing.join(', ') + mending(record));
        }
    }

    function checkTable(record) {
        if (record.table === 'sys_db_object' && !gs.tableExists(record.fields.name)) {
            find('missing: the table ' + record.fields.name + ' itself' + mending(record));
        }
    }

    function isInCluster(mid) {
        var member = new GlideRecord('ecc_agent_cluster_member_m2m');
        member.addQuery('agent', mid.getUniqueValue());
        member.setLimit(1);
        member.query();
        return member.hasNext();
    }

    function checkPoller(name) {
        var status = new GlideRecord('x_claude_terminal_mid_status');
        status.addQuery('mid_name', name);
        status.addQuery('bridge', 'poller');
        status.addNotNullQuery('seen_at');
        status.query();
        if (!status.next()) {
            find('x_claude_terminal.mids names ' + name + ', and no poller of that name runs');
        } else if (new GlideDateTime().getNumericValue() -
                new GlideDateTime(status.getValue('seen_at')).getNumericValue() > SILENT_MS) {
            find('the poller ' + name + ' has not asked for work since ' + status.getValue('seen_at') +
                ' UTC');
        }
    }

    function checkMid(name) {
        var mid = new GlideRecord('ecc_agent');
        if (!mid.get('name', name)) {
            find('x_claude_terminal.mids names ' + name + ', and there is no MID Server of that name');
        } else if (convergence.held(mid, 'status') !== 'Up') {
            find('the MID Server ' + name + ' is not up');
        } else if (convergence.held(mid, 'validated') !== 'true') {
            find('the MID Server ' + name + ' is not validated');
        } else if (isInCluster(mid)) {
            find('the MID Server ' + name + ' is in a cluster: its calls would be sent to other hosts');
        }
    }

    function checkMids() {
        var names = gs.getProperty('x_claude_terminal.mids', '').split(',').map(function (name) {
            return name.trim();
        }).filter(function (name) {
            return name !== '';
        });
        if (!names.length) {
            find('x_claude_terminal.mids is empty: nobody can start a session');
        }
        names.forEach(gs.getProperty('x_claude_terminal.bridge', 'mid') === 'poller' ? checkPoller :
            checkMid);
    }

    WANTED.forEach(checkRecord);
    WANTED.forEach(checkTable);
    checkMids();
    gs.info(WANTED.length + ' records looked at, ' + (findings ? findings + ' findings' : 'all is well'));
})();
