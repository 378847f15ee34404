using System.Globalization;
using System.Text.Json;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Persistence;

/// <summary>Makes the rows of `audit_log`. They are added to the context of the change, so both last or neither.</summary>
internal sealed class AuditTrail(Replica self)
{
    private const int LongestText = 2_000;

    public AuditRow Session(string action, SessionRow session, Caller caller, string? reason = null, params (string Name, string? Value)[] detail) =>
        Row(action, session, session.OpenedBy, null, caller, reason, detail);

    public AuditRow Client(string action, SessionRow? session, ClientSessionKey key, Caller caller, string? reason = null, params (string Name, string? Value)[] detail) =>
        Row(action, session, key.UserId, key.Prefix, caller, reason, detail);

    public AuditRow Denial(Denial denial) => Row(
        "deny",
        null,
        denial.Key?.UserId,
        denial.Key?.Prefix,
        denial.Caller,
        denial.Reason,
        [("code", ColumnWord.Of(denial.Code)), ("calls", denial.Calls.ToString(CultureInfo.InvariantCulture)), ("request", denial.Request)]);

    public AuditRow Pruned(string actor, int rows, DateTimeOffset cutOff) => Row(
        "prune",
        null,
        null,
        null,
        new Caller(actor, "", "spark-gateway audit prune"),
        null,
        [("rows", rows.ToString(CultureInfo.InvariantCulture)), ("cut_off", cutOff.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)), ("host", self.Host)]);

    private AuditRow Row(string action, SessionRow? session, string? user, string? prefix, Caller caller, string? reason, (string Name, string? Value)[] detail) => new()
    {
        Actor = caller == Caller.Gateway ? caller.UserAgent : Clean(caller.User)!,
        Action = action,
        Namespace = session?.Namespace,
        SessionName = session?.Name,
        SessionRowId = session?.Id,
        Team = session?.Team,
        ClaimedUser = Clean(user),
        ClientSessionPrefix = Clean(prefix),
        Reason = Clean(reason),
        Detail = JsonSerializer.Serialize(detail.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Name, pair => Clean(pair.Value))),
        ClientAddress = Clean(caller.Address),
        UserAgent = Clean(caller.UserAgent),
        Replica = self.Id,
    };

    private static string? Clean(string? text) => text is null ? null : ColumnWord.Clean(text, LongestText);
}
