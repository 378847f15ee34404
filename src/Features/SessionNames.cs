using System.Security.Cryptography;
using System.Text;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Features;

/// <summary>Names of on-demand sessions: told apart by a random part that nobody can guess.</summary>
internal static class SessionNames
{
    private const string Prefix = "spark-connect-";
    private const int RandomCharacters = 8;

    /// <summary>43 characters in all: operators make names of pods and services of it, and the strictest takes 44.</summary>
    private const int LongestTeam = 20;

    /// <summary>Of a longer team's name; then a part of its hash, so that teams with one beginning are told apart.</summary>
    private const int BeginningOfTeam = 13;

    private const int HashCharacters = 6;

    public static SessionName Draw(RoutingDecision.Open open) =>
        new(open.Namespace, $"{Prefix}{Shortened(open.Team.Team)}-{RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", RandomCharacters)}");

    private static string Shortened(string team) => team.Length <= LongestTeam
        ? team
        : $"{team[..BeginningOfTeam].TrimEnd('-')}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(team)))[..HashCharacters]}";
}
