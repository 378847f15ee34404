using System.Xml.Linq;

namespace SparkGateway.Architecture.Tests;

/// <summary>The files of the repository that people write, by their path from its root.</summary>
internal static class Repository
{
    private static readonly string[] Made = ["bin", "obj", ".git", ".venv", ".state", ".vs", ".idea", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts", "__pycache__"];

    public static readonly string Root = FindRoot();

    public static IEnumerable<string> Files(string pattern) => Under(new DirectoryInfo(Root))
        .SelectMany(folder => folder.EnumerateFiles(pattern))
        .Where(file => file.LinkTarget is null)
        .Select(file => Path.GetRelativePath(Root, file.FullName))
        .Order();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static XDocument Xml(string path) => XDocument.Parse(Read(path));

    private static IEnumerable<DirectoryInfo> Under(DirectoryInfo folder) =>
        folder.EnumerateDirectories()
            .Where(child => child.LinkTarget is null && !Made.Contains(child.Name))
            .SelectMany(Under)
            .Prepend(folder);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SparkGateway.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder.FullName;
    }
}
