/**
 * What the application may do with tables of the platform: the queue, MID Servers and their issues.
 *
 * Without these, an instance that enforces cross-scope access asks for each at first use, or refuses.
 */
(function () {
    var DRY_RUN = false; // true: only print what would be done
    /* include converge.js */

    var WANTED = /* wanted records sys_scope_privilege */ [];

    new Convergence(WANTED, DRY_RUN).run();
})();
