using System.Text.Json;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.DescribeSession;
using SparkGateway.Features.Ports;

namespace SparkGateway.Api.Admin;

/// <summary>A session as the admin API shows it.</summary>
/// <param name="OpenedBy">The user as the client claimed it; absent: attached, or opened by an operator and not claimed yet.</param>
/// <param name="ExpiresAt">Max TTL; absent: none, or not known before the session is ready.</param>
internal sealed record SessionView(
    Guid SessionRowId,
    string Namespace,
    string SessionName,
    int Incarnation,
    SessionKind Kind,
    string Platform,
    SessionState State,
    string? Team,
    string? Environment,
    string? OpenedBy,
    Guid? OwnerReplica,
    string? Address,
    DateTimeOffset OpenedAt,
    DateTimeOffset? ReadyAt,
    DateTimeOffset? LastActivityAt,
    DateTimeOffset? BusyUntil,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? EndedAt,
    EndReason? EndReason,
    string? EndDetail)
{
    public static SessionView Of(Session session) => new(
        session.Id,
        session.Name.Namespace,
        session.Name.Name,
        session.Incarnation,
        session.Kind,
        session.Platform,
        session.State,
        session.Team,
        session.Environment,
        session.OpenedBy,
        session.OwnerReplica,
        session.Address,
        session.OpenedAt,
        session.ReadyAt,
        session.LastActivityAt,
        session.BusyUntil,
        session.MaxTtlAt,
        session.EndedAt,
        session.EndReason,
        session.EndDetail);
}

/// <param name="Next">For the parameter `after` of the next page; absent: this is the last.</param>
internal sealed record SessionListView(IReadOnlyList<SessionView> Items, string? Next);

/// <param name="Via">How it came to the session, in the words of the table `bindings`.</param>
/// <param name="ClientSessionPrefix">The first 8 characters of the client session id, which is a credential.</param>
internal sealed record BindingView(string? User, string ClientSessionPrefix, BindingState State, string Via, DateTimeOffset CreatedAt, DateTimeOffset? ReleasedAt)
{
    public static BindingView Of(BindingSummary binding) =>
        new(binding.User, binding.ClientSessionPrefix, binding.State, AdminJson.Word(binding.Via).Replace("_", "", StringComparison.Ordinal), binding.CreatedAt, binding.ReleasedAt);
}

internal sealed record AuditView(
    long Id,
    DateTimeOffset At,
    string Actor,
    string Action,
    string? User,
    string? ClientSessionPrefix,
    string? Reason,
    JsonElement Detail,
    string? ClientAddress,
    string? UserAgent,
    Guid Replica)
{
    public static AuditView Of(AuditEntry entry)
    {
        using var detail = JsonDocument.Parse(entry.Detail);
        return new(entry.Id, entry.At, entry.Actor, entry.Action, entry.User, entry.ClientSessionPrefix, entry.Reason, detail.RootElement.Clone(), entry.ClientAddress, entry.UserAgent, entry.Replica);
    }
}

/// <param name="Calls">Calls on their way through that replica.</param>
/// <param name="ToldAt">When it told; absent: it is the one that answers, and they are those of now.</param>
internal sealed record OpenCallsView(Guid Replica, string Host, int Calls, DateTimeOffset? ToldAt);

/// <param name="OpenCalls">Of the replica that answers, and of each other that has some.</param>
/// <param name="Bindings">Its client sessions, newest first, at most 50.</param>
/// <param name="Audit">Its last 50 audit rows, newest first.</param>
internal sealed record SessionDetailView(SessionView Session, IReadOnlyList<OpenCallsView> OpenCalls, IReadOnlyList<BindingView> Bindings, IReadOnlyList<AuditView> Audit)
{
    public static SessionDetailView Of(DescribeSession.Description description) => new(
        SessionView.Of(description.Record.Session),
        [.. description.OpenCalls.Select(calls => new OpenCallsView(calls.Replica, calls.Host, calls.Calls, calls.At))],
        [.. description.Record.Bindings.Select(BindingView.Of)],
        [.. description.Record.Audit.Select(AuditView.Of)]);
}

/// <param name="ClientSessionId">A credential: whoever has it can use the session. Shown this once.</param>
/// <param name="ConnectionString">For SparkSession.builder.remote(...).</param>
/// <param name="ExpiresAt">Max TTL; absent until the session is ready.</param>
internal sealed record OpenedSessionView(
    Guid SessionRowId, string Namespace, string SessionName, string ClientSessionId, string ConnectionString, SessionState State, DateTimeOffset? ExpiresAt);

/// <param name="WasOver">It was ending or had ended before this request.</param>
internal sealed record ClosedSessionView(SessionView Session, bool WasOver);

internal sealed record LogView(Guid SessionRowId, string Namespace, string SessionName, IReadOnlyList<string> Lines);

/// <summary>What to open; neither: the defaults of the configuration.</summary>
internal sealed record OpenSessionBody(string? Team, string? Environment);

/// <param name="Minutes">By how much later the session may end.</param>
internal sealed record ExtendSessionBody(int Minutes);
