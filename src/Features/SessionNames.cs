using System.Security.Cryptography;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features;

/// <summary>Names of on-demand sessions: told apart by a random part that nobody can guess.</summary>
internal static class SessionNames
{
    private const string Prefix = "spark-connect-";
    private const int RandomCharacters = 8;

    /// <summary>Kubernetes makes labels and host names of it, so it stays within one label.</summary>
    private const int LongestName = 63;

    private static readonly int LongestTeam = LongestName - Prefix.Length - 1 - RandomCharacters;

    public static SessionName Draw(RoutingDecision.Open open)
    {
        var team = open.Team.Team.Length <= LongestTeam ? open.Team.Team : open.Team.Team[..LongestTeam].TrimEnd('-');
        return new SessionName(open.Namespace, $"{Prefix}{team}-{RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", RandomCharacters)}");
    }
}
