using System.Xml.Linq;

namespace SparkGateway.Architecture.Tests;

public sealed class ProjectTests
{
    private static readonly string[] TestProjects =
        ["Api.Tests", "Architecture.Tests", "Domain.Tests", "EndToEnd.Tests", "Features.Tests", "Infrastructure.Tests", "Relay.Tests", "Testing"];

    [Fact]
    public void Source_HoldsTheFourRoomsAndNothingElse() => Assert.Equal(ProjectRules.Projects.Keys.Order(), Folders("src"));

    [Fact]
    public void Tests_MirrorTheRooms() => Assert.Equal(TestProjects, Folders("tests"));

    [Fact]
    public void Folder_HoldsTheProjectOfItsNameAndTheSolutionKnowsIt()
    {
        var solution = Repository.Read("SparkGateway.sln").Replace('\\', '/');
        foreach (var project in Repository.Files("*.csproj"))
        {
            Assert.Equal(Path.GetFileName(Path.GetDirectoryName(project)), Path.GetFileNameWithoutExtension(project), ignoreCase: true);
            Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Domain")]
    [InlineData("Features")]
    [InlineData("Infrastructure")]
    [InlineData("Api")]
    public void Project_ReferencesOnlyWhatItsRoomMayKnow(string project) =>
        Findings.None(ProjectRules.ForeignReferences(project, Repository.Xml($"src/{project}/{project}.csproj")));

    [Fact]
    public void ForeignReferences_BadProject_AreFound()
    {
        var bad = XDocument.Parse(
            """
            <Project>
              <ItemGroup>
                <ProjectReference Include="..\Infrastructure\Infrastructure.csproj" />
                <PackageReference Include="Microsoft.EntityFrameworkCore" />
                <PackageReference Include="Microsoft.Extensions.Options" />
              </ItemGroup>
            </Project>
            """);
        Assert.Equal(["Features references Infrastructure", "Features references Microsoft.EntityFrameworkCore"], ProjectRules.ForeignReferences("Features", bad));
        Assert.Equal(3, ProjectRules.ForeignReferences("Domain", bad).Count);
    }

    [Fact]
    public void PackageVersions_AreAllUsed() =>
        Findings.None(ProjectRules.UnusedVersions(
            Repository.Xml("Directory.Packages.props"),
            Repository.Files("*.csproj").Concat(Repository.Files("Directory.Build.props")).Select(Repository.Xml)));

    [Fact]
    public void UnusedVersions_PackageThatNobodyAsksFor_IsFound() => Assert.Equal(
        ["Stray is used by no project"],
        ProjectRules.UnusedVersions(
            XDocument.Parse("""<Project><PackageVersion Include="Stray" /><PackageVersion Include="Used" /></Project>"""),
            [XDocument.Parse("""<Project><PackageReference Include="Used" /></Project>""")]));

    private static IEnumerable<string?> Folders(string room) => Repository.Files("*.csproj")
        .Where(path => path.StartsWith(room + "/", StringComparison.Ordinal))
        .Select(path => path.Split('/')[1])
        .Order(StringComparer.Ordinal);
}
