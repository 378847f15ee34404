namespace SparkGateway.Domain.Sessions;

/// <summary>How an operator names a session: by its row id, or by namespace/name, which means the newest of that name.</summary>
public sealed record SessionRef
{
    private SessionRef(Guid? rowId, SessionName name) => (RowId, Name) = (rowId, name);

    public Guid? RowId { get; }

    /// <summary>Meant where there is no row id.</summary>
    public SessionName Name { get; }

    public static SessionRef To(Guid rowId) => new(rowId, default);

    public static Result<SessionRef> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Guid.TryParseExact(text, "D", out var rowId)) return To(rowId);
        return text.Split('/') is [var space, var name] && SessionName.IsLabel(space) && SessionName.IsName(name)
            ? new SessionRef(null, new SessionName(space, name))
            : GatewayError.Invalid([new Fault("id", "A session is named by its row id (a UUID), or as NAMESPACE/NAME.")]);
    }

    public override string ToString() => RowId?.ToString() ?? Name.ToString();
}
