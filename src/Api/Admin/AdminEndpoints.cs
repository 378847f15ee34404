using SparkGateway.Domain;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Security;

namespace SparkGateway.Api.Admin;

/// <summary>The operators' API: on admin.port only, behind a token. Its description is open, for it says nothing of this gateway.</summary>
internal static class AdminEndpoints
{
    private const string Root = "/api";

    public static IServiceCollection AddAdminApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => AdminJson.Apply(json.SerializerOptions));
        return services.AddSingleton<SessionsApi>().AddApiDescription();
    }

    public static void MapAdminApi(this WebApplication app)
    {
        app.Use(GuardAsync);
        var sessions = app.MapGroup(SessionsApi.Path);
        MapCollection(sessions);
        MapByRowId(sessions);
        MapByName(sessions.MapGroup("").ExcludeFromDescription());
        app.MapApiDescription();
    }

    private static void MapCollection(RouteGroupBuilder sessions)
    {
        sessions.MapGet("", (HttpContext context, SessionsApi api, string? team, string? user, string? @namespace, string? state, string? after, string? limit) =>
                api.ListAsync(context, team, user, @namespace, state, after, limit))
            .Describe<SessionListView>("list_sessions", "Sessions in the order of namespace and name, page by page",
                "state: live (all but ended; the default), starting, ready, ending, ended or all. user: who opened it or has a client session on it. after: the 'next' of the page before.");
        sessions.MapPost("", (HttpContext context, SessionsApi api) => api.OpenAsync(context))
            .Accepts<OpenSessionBody>("application/json")
            .Describe<OpenedSessionView>("open_session", "Opens a session before its client comes, and starts its driver at once",
                "The first client that connects with the connection string has the session. The answer is the only place that shows the client session id whole.", StatusCodes.Status201Created);
    }

    private static void MapByRowId(RouteGroupBuilder sessions)
    {
        const string id = "id: the session's row id, or NAMESPACE/NAME for the newest session of that name.";
        sessions.MapGet("/{id}", (HttpContext context, SessionsApi api, string id) => api.DescribeAsync(context, id))
            .Describe<SessionDetailView>("describe_session", "One session with its client sessions, open calls and audit", id);
        sessions.MapDelete("/{id}", (HttpContext context, SessionsApi api, string id, string? note) => api.CloseAsync(context, id, note))
            .Describe<ClosedSessionView>("close_session", "Ends a session whoever uses it; its clients read who did and the note", $"{id} May be repeated. The driver of an attached session is left alone.");
        sessions.MapPost("/{id}/extend", (HttpContext context, SessionsApi api, string id) => api.ExtendAsync(context, id))
            .Accepts<ExtendSessionBody>("application/json")
            .Describe<SessionView>("extend_session", "Moves the max TTL of a session", $"{id} No further ahead than admin.max_extension_hours.");
        sessions.MapGet("/{id}/logs", (HttpContext context, SessionsApi api, string id, string? lines) => api.LogsAsync(context, id, lines))
            .Describe<LogView>("read_driver_log", "The last lines of a driver's log", $"{id} lines: 1 to 1000, 100 if not given.");
    }

    /// <summary>The same with the name written out; what a literal part of the paths above is called, is reached by its row id.</summary>
    private static void MapByName(RouteGroupBuilder sessions)
    {
        sessions.MapGet("/{space}/{name}", (HttpContext context, SessionsApi api, string space, string name) => api.DescribeAsync(context, $"{space}/{name}"));
        sessions.MapDelete("/{space}/{name}", (HttpContext context, SessionsApi api, string space, string name, string? note) => api.CloseAsync(context, $"{space}/{name}", note));
        sessions.MapPost("/{space}/{name}/extend", (HttpContext context, SessionsApi api, string space, string name) => api.ExtendAsync(context, $"{space}/{name}"));
        sessions.MapGet("/{space}/{name}/logs", (HttpContext context, SessionsApi api, string space, string name, string? lines) => api.LogsAsync(context, $"{space}/{name}", lines));
    }

    private static async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var services = context.RequestServices;
        var isApi = context.Request.Path.StartsWithSegments(Root);
        if (!isApi && !ApiDescription.Owns(context.Request.Path))
        {
            await next(context);
            return;
        }

        // The second port of health is open to all, so nothing else answers there.
        if (context.Connection.LocalPort != services.GetRequiredService<GatewayOptions>().Admin.Port)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (!isApi)
        {
            ApiDescription.Confine(context.Response);
            await next(context);
            return;
        }

        var caller = Operator.Of(context, services.GetRequiredService<AdminTokens>());
        if (!caller.TryGet(out var actor, out var error))
        {
            if (error.Code == ErrorCode.Unauthenticated) context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefusalAudit.RecordAsync(context, error, Operator.Unknown(context));
            await Problem.Of(error).ToResult().ExecuteAsync(context);
            return;
        }

        context.Features.Set(actor);
        context.Response.Headers.CacheControl = "no-store";
        await AnswerAsync(context, next);
    }

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (Unrouted(context) is { } problem && !context.Response.HasStarted) await problem.ToResult().ExecuteAsync(context);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            // The server's own limits: a body that is too large, or never comes.
            await (Problem.Of(GatewayError.Invalid(bad.Message)) with { Status = bad.StatusCode }).ToResult().ExecuteAsync(context);
        }
    }

    /// <summary>What routing refuses has no body of its own.</summary>
    private static Problem? Unrouted(HttpContext context)
    {
        var (request, status) = (context.Request, context.Response.StatusCode);
        if (context.Response.ContentType is not null) return null;
        var text = status switch
        {
            StatusCodes.Status404NotFound => $"This API has no {request.Path}; {ApiDescription.Page} shows what it has.",
            StatusCodes.Status405MethodNotAllowed => $"{request.Path} takes no {request.Method}; {ApiDescription.Page} shows what it takes.",
            StatusCodes.Status415UnsupportedMediaType => "The body must be JSON: send the header 'content-type: application/json'.",
            _ => null,
        };
        return text is null ? null : Problem.Of(GatewayError.Invalid(text)) with { Status = status };
    }
}
