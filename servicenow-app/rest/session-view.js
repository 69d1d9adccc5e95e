(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return api.view(call.path('id'), call.body());
    });
})(request, response);
