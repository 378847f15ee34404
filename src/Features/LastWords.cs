using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features;

/// <summary>
/// The last log lines of drivers that crashed lately, or did not come up, for their openers: a notebook that had no call open then asks
/// later. In memory only, and only here: what a driver writes may be anything.
/// </summary>
public sealed class LastWords
{
    /// <summary>Each of some kilobytes.</summary>
    private const int MostKept = 64;

    private readonly Lock gate = new();
    private readonly Queue<(Guid Session, string Lines)> kept = new();

    public void Keep(Guid session, string lines)
    {
        if (lines.Length == 0) return;
        lock (gate)
        {
            if (kept.Any(entry => entry.Session == session)) return;
            kept.Enqueue((session, lines));
            if (kept.Count > MostKept) kept.Dequeue();
        }
    }

    /// <summary>Empty for anybody but the one who opened the session.</summary>
    public string For(Session session, string user)
    {
        if (session.OpenedBy != user) return "";
        lock (gate) return kept.FirstOrDefault(entry => entry.Session == session.Id).Lines ?? "";
    }
}
