using System.Text.Json;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>A session as the command line shows it.</summary>
internal sealed record ShownSession(
    string SessionRowId,
    string Namespace,
    string SessionName,
    string State,
    string? Address,
    DateTimeOffset OpenedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? EndedAt,
    string? EndReason,
    string? EndDetail);

internal sealed record ShownBinding(string? User, string State, string Via, DateTimeOffset? ReleasedAt);

internal sealed record ShownAudit(DateTimeOffset At, string Action, string? Reason);

internal sealed record ShownDetail(ShownSession Session, IReadOnlyList<ShownBinding> Bindings, IReadOnlyList<ShownAudit> Audit)
{
    /// <summary>Its life as the audit has it, oldest first: what was done, and why.</summary>
    public IReadOnlyList<string> Life => [.. Audit.Reverse().Select(row => row.Reason is null ? row.Action : $"{row.Action} {row.Reason}")];
}

internal sealed record ShownOpened(string SessionRowId, string ConnectionString);

/// <summary>Reads what the verbs of `sessions` print as JSON.</summary>
internal static class Shown
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>All that this user has opened, ended ones too, oldest first.</summary>
    public static async Task<IReadOnlyList<ShownSession>> SessionsOfAsync(GatewayProcess gateway, string user) =>
        [.. Read<List<ShownSession>>(await gateway.SessionsAsync("list", "-o", "json", "--state", "all", "--user", user)).OrderBy(session => session.OpenedAt)];

    public static async Task<IReadOnlyList<ShownSession>> LiveAsync(GatewayProcess gateway) =>
        Read<List<ShownSession>>(await gateway.SessionsAsync("list", "-o", "json"));

    public static async Task<ShownDetail> DescribeAsync(GatewayProcess gateway, string rowId) =>
        Read<ShownDetail>(await gateway.SessionsAsync("describe", rowId, "-o", "json"));

    public static async Task<ShownOpened> OpenAsync(GatewayProcess gateway, string team, string environment) =>
        Read<ShownOpened>(await gateway.SessionsAsync("open", "--team", team, "--environment", environment, "-o", "json"));

    public static async Task<ShownSession> ExtendAsync(GatewayProcess gateway, string rowId, int minutes) =>
        Read<ShownSession>(await gateway.SessionsAsync("extend", rowId, "--minutes", $"{minutes}", "-o", "json"));

    private static T Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Json)!;
}
